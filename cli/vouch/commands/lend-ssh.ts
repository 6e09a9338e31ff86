import { gitSettings } from '../../lend/git-settings.ts';
import { openLend } from '../../lend/open-lend.ts';
import type { LendOptions } from '../../lend/options.ts';
import { Problem } from '../../problem/problem.ts';
import { checkSshArguments, lendToHost } from '../../ssh/lend-to-host.ts';
import type { Io } from '../../terminal/io.ts';
import { sayEnd, sayLent } from '../lend-notes.ts';

export interface LendSshOptions extends LendOptions {
  /** Does not say what is lent. */
  quiet?: boolean;
}

/**
 * `vouch lend ssh`: a shell, or a command, on an SSH host whose Git finds what is lent. The lend ends with it, and with us.
 *
 * @param words what comes after the host: options of ssh, then perhaps a command; a first `--` is ours
 * @returns the exit code of what ran there, or ssh's 255
 */
export async function lendSsh(host: string, words: string[], options: LendSshOptions, io: Io): Promise<number> {
  if (options.aws) throw noAws();
  const rest = words[0] === '--' ? words.slice(1) : words;
  checkSshArguments(host, rest);
  const { lend, ended, end } = await openLend(options, io);
  try {
    if (!options.quiet) sayLent(host, lend, io);
    const lent = { ...lend, gitSettings: (socket: string) => gitSettings(lend, socket), ended };
    return await lendToHost(host, rest, lent, io);
  } finally {
    const early = await Promise.race([ended, undefined]);
    const { awsUntil } = await end();
    if (!options.quiet) sayEnd(host, lend, { early, awsUntil }, io);
  }
}

function noAws(): Problem {
  return new Problem({
    kind: 'usage',
    what: 'The credentials endpoint of --aws cannot be lent to an SSH host.',
    why: 'Its token would have to be there, where others could read it, and AWS honours what it gives beyond the end of the lend.',
    fix: 'Lend the socket for Git alone, without --aws.',
  });
}
