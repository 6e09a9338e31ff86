import { type Holder, latestCredentialsUntil } from '../aws/outstanding.ts';
import { sayOutstanding } from '../aws/outstanding-words.ts';
import type { SignedOut } from '../people/sign-out.ts';
import type { EndedSession } from '../sessions/sessions.ts';
import { count } from '../text/count.ts';
import { isoTime } from '../text/iso-time.ts';
import type { Administration } from './administer.ts';

/** Until when AWS may honour what was issued, in milliseconds since the epoch. */
export function outstanding(
  { store, installation }: Administration,
  holders: readonly Holder[],
): Promise<number | undefined> {
  return latestCredentialsUntil(store, holders, installation.awsSessionSeconds, Date.now());
}

/** What ended, in words: "2 sessions and 1 browser session"; undefined if nothing did. */
export function sayEnded({ sessions, browsers }: SignedOut): string | undefined {
  const parts = [
    ...(sessions.length > 0 ? [count(sessions.length, 'session')] : []),
    ...(browsers > 0 ? [count(browsers, 'browser session')] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(' and ');
}

/** The machines of ended sessions, a few of them: " (alices-laptop)"; empty if there are none. */
export function sayMachines(sessions: readonly EndedSession[]): string {
  if (sessions.length === 0) return '';
  const machines = [...new Set(sessions.map(({ machine }) => machine ?? 'an unnamed machine'))];
  const more = machines.length - 3;
  return ` (${[...machines.slice(0, 3), ...(more > 0 ? [`${more} more`] : [])].join(', ')})`;
}

/** Prints what ended, and where; nothing if nothing did. */
export function printEnded(done: SignedOut): void {
  const ended = sayEnded(done);
  if (ended !== undefined) process.stdout.write(`Ended ${ended}${sayMachines(done.sessions)}.\n`);
}

/** Prints lines about what AWS still honours, and how to end that too. */
export function printOutstanding(until: number | undefined, email: string): void {
  const sentence = sayOutstanding(until, Date.now());
  if (sentence === undefined) return;
  process.stdout.write(`${sentence}\nTo end those too: vouch-server aws-revoke ${email}\n`);
}

/** The same as members of a JSON answer. */
export function endedJson({ sessions, browsers }: SignedOut, until: number | undefined) {
  return {
    sessionsEnded: sessions.map(({ id, email, machine }) => ({ id, email, machine })),
    browserSessionsEnded: browsers,
    awsCredentialsUntil: isoTime(until),
  };
}
