import type { Lend, LendEnded } from '../agent/protocol/lends.ts';
import { stillHonoured, whatIsLent, whyOver } from '../lend/lend-words.ts';
import { printNote } from '../problem/print.ts';
import type { Io } from '../terminal/io.ts';
import { clockTime } from '../text/time.ts';

/** Says on standard error what is lent to a program or a container, and how to end that. */
export function sayLent(to: string, lend: Lend, { stderr }: Pick<Io, 'stderr'>): void {
  const until = clockTime(new Date(lend.until), new Date());
  const profiles = lend.profiles.map(({ profile }) => profile).join(', ');
  printNote(stderr, {
    what: `Lent to ${to} until ${until}: ${whatIsLent(lend)} (profile ${profiles}). \`vouch lend end ${lend.name}\` ends it.`,
    ...(lend.repos.length === 0 && { fix: 'Name repositories with --repo to lend less.' }),
  });
}

/**
 * Says on standard error what somebody should know at a lend's end: that it was over before the program was, and that AWS goes on
 * honouring credentials.
 *
 * @param early how it ended before the program did; undefined if it did not
 */
export function sayEnd(
  to: string,
  { name, awsEndpoint }: Lend,
  { early, awsUntil }: { early: LendEnded | undefined; awsUntil: string | null },
  { stderr }: Pick<Io, 'stderr'>,
): void {
  if (early !== undefined)
    printNote(stderr, { what: `The lend ${name} was over before ${to} was: ${whyOver(early.ended)}.` });
  const honoured = stillHonoured(awsUntil, new Date());
  if (awsEndpoint !== null && honoured !== undefined) printNote(stderr, { what: honoured });
}
