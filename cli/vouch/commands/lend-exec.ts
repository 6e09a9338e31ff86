import { existsSync } from 'node:fs';
import { readProfiles } from '../../aws/config/profiles.ts';
import { awsSettings } from '../../box/aws-files.ts';
import { makeBoxFolder } from '../../box/box-folder.ts';
import { boxEnvironment } from '../../box/environment.ts';
import { findOnPath } from '../../files/on-path.ts';
import { asEnvironment } from '../../lend/as-environment.ts';
import { gitSettings } from '../../lend/git-settings.ts';
import { whatIsLent } from '../../lend/lend-words.ts';
import { openLend } from '../../lend/open-lend.ts';
import type { LendOptions } from '../../lend/options.ts';
import { awsConfigFile } from '../../paths.ts';
import type { Io } from '../../terminal/io.ts';
import { noProgram, runProgram } from '../../terminal/run-program.ts';
import { clockTime } from '../../text/time.ts';
import { sayEnd, sayLent } from '../lend-notes.ts';

export interface LendExecOptions extends LendOptions {
  /** Does not say what is lent. */
  quiet?: boolean;
}

/**
 * `vouch lend exec`: runs a program that finds what is lent, and not the agent. The lend ends with the program, and with us.
 *
 * @returns the program's exit code
 */
export async function lendExec([file = '', ...args]: string[], options: LendExecOptions, io: Io): Promise<number> {
  // Nothing is lent to a program that is not there.
  const isThere = file.includes('/') ? existsSync(file) : findOnPath(file, io.env).length > 0;
  if (!isThere) throw noProgram(file);
  const { lend, ended, end } = await openLend(options, io);
  try {
    const until = clockTime(new Date(lend.until), new Date());
    const profiles = await readProfiles(awsConfigFile(io.env));
    const region = profiles.find(({ name }) => name === lend.profiles[0]?.profile)?.region;
    const why = `Until ${until} that is: ${whatIsLent(lend)}.`;
    const box = await makeBoxFolder({ gitSocket: lend.gitSocket, why }, awsSettings(io.env, region), io.env);
    try {
      if (!options.quiet) sayLent(file, lend, io);
      const git = asEnvironment(gitSettings(lend, box.gitSocket), io.env);
      return await runProgram([file, ...args], boxEnvironment(io.env, box, git, lend.awsEndpoint));
    } finally {
      box.remove();
    }
  } finally {
    const early = await Promise.race([ended, undefined]);
    const { awsUntil } = await end();
    if (!options.quiet) sayEnd(file, lend, { early, awsUntil }, io);
  }
}
