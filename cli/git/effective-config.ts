import { execFile } from 'node:child_process';

/** A repository's URL on CodeCommit's public hosts: which region it is in makes no difference to Git's configuration. */
const EXAMPLE = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/example';

/**
 * Whether Git, as it is configured for this user, asks Vouch last for CodeCommit: that helper's answer counts, because
 * `vouch setup codecommit` clears the ones before it.
 *
 * @returns false as well where there is no Git
 */
export function gitAsksVouch(env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(
      'git',
      ['config', '--get-urlmatch', 'credential.helper', EXAMPLE],
      { env, timeout: 5_000 },
      (error, stdout) => resolve(error === null && /(^|\/)(git-credential-)?vouch(\s|$)/.test(stdout.trim())),
    );
  });
}
