import { awsCredentialsUntil, type Holder } from '../aws/outstanding.ts';
import { sayOutstanding } from '../aws/outstanding-words.ts';
import type { SignedOut } from '../people/sign-out.ts';
import type { EndedSession } from '../sessions/sessions.ts';
import { count } from '../text/count.ts';
import { isoTime } from '../text/iso-time.ts';
import type { Administration } from './administer.ts';

/**
 * Until when AWS may honour what was issued, in milliseconds since the epoch. Ask after the sessions have ended, so that no token comes
 * in between.
 */
export async function outstanding(
  { store, installation }: Administration,
  holders: readonly Holder[],
): Promise<number | undefined> {
  let latest: number | undefined;
  for (const holder of holders) {
    const until = await awsCredentialsUntil(store, holder, installation.awsSessionSeconds, Date.now());
    if (until !== undefined && until > (latest ?? 0)) latest = until;
  }
  return latest;
}

/** What ended, in words: "2 sessions and 1 browser's"; undefined if nothing did. */
export function sayEnded({ sessions, browsers }: SignedOut): string | undefined {
  const parts = [
    ...(sessions.length > 0 ? [count(sessions.length, 'session')] : []),
    ...(browsers > 0 ? [count(browsers, 'browser session')] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(' and ');
}

/** The machines of ended sessions, a few of them. */
export function sayMachines(sessions: readonly EndedSession[]): string {
  const machines = [...new Set(sessions.map(({ machine }) => machine ?? 'an unnamed machine'))];
  const more = machines.length - 3;
  return [...machines.slice(0, 3), ...(more > 0 ? [`${more} more`] : [])].join(', ');
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
