import { awsVariables, withAwsVariables } from '../../aws/variables.ts';
import { printNote } from '../../problem/print.ts';
import type { Io } from '../../terminal/io.ts';
import { runProgram } from '../../terminal/run-program.ts';
import { clockTime } from '../../text/time.ts';
import { chosenCredentials, type ProfileOptions, roleWords } from '../profile-credentials.ts';

export interface ExecOptions extends ProfileOptions {
  /** Does not warn. */
  quiet?: boolean;
}

/**
 * `vouch exec`: runs a program with a profile's AWS credentials in its environment. Any program of the same user can read a running
 * program's environment, and what that program starts inherits it: hence the warning.
 *
 * @returns the program's exit code
 */
export async function exec([file = '', ...args]: string[], options: ExecOptions, io: Io): Promise<number> {
  const { profile, region, credentials } = await chosenCredentials(options, io.env);
  if (!options.quiet) {
    const until = clockTime(new Date(credentials.expiration), new Date());
    printNote(io.stderr, {
      what: `The environment of ${file} holds secrets until ${until}: credentials for ${roleWords(profile)}.`,
    });
  }
  const env = withAwsVariables(io.env, awsVariables(credentials, region, io.env));
  return runProgram([file, ...args], env);
}
