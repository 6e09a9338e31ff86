import type { Lend, LendEnd } from '../agent/protocol/lends.ts';
import { parseRoleArn } from '../aws/role-arn.ts';
import { printable } from '../text/printable.ts';
import { clockTime, roundedUp } from '../text/time.ts';

/** What is lent: `demo, pull only`. */
export function whatIsLent({ repos, branches, pullOnly, profiles }: Lend): string {
  const accounts = profiles.map(({ role }) => parseRoleArn(role)?.account ?? role);
  const which = repos.length > 0 ? repos.join(' ') : `every repository of ${[...new Set(accounts)].join(', ')}`;
  const pushes = pullOnly ? 'pull only' : branches.length > 0 ? `pushes to ${branches.join(' ')}` : 'pull and push';
  return printable(`${which}, ${pushes}`, 300);
}

/** Until when AWS may honour what a lend has given out, after its end; undefined if that is nothing. */
export function stillHonoured(awsUntil: string | null, now: Date): string | undefined {
  if (awsUntil === null || Date.parse(awsUntil) <= now.getTime()) return undefined;
  return `AWS may honour what it has given out until ${clockTime(roundedUp(new Date(awsUntil)), now)}.`;
}

/** Why a lend is over, for the person who opened it. */
export function whyOver(end: LendEnd): string {
  return reasons[end];
}

const reasons: Readonly<Record<LendEnd, string>> = {
  time: 'its time is up',
  asked: 'it was ended',
  closed: 'it was ended',
  session: 'your session is over',
  agent: 'the vouch agent has ended',
};
