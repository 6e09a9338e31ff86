import { Problem } from '../../problem/problem.ts';
import type { GitCredentialRequest } from '../protocol/git-request.ts';

/**
 * The answer in Git's format (git-credential(1)). If Git understands it, the credential has the form of HTTP's header and is
 * `ephemeral`, so that Git asks no helper to store it. With `password_expiry_utc` alone, each helper would decide whether to. The
 * script gets both forms, and passes one on to Git.
 *
 * @param expiry when CodeCommit stops accepting the password, in milliseconds since 1970
 * @throws Problem `not-a-line` when the user name, which comes from STS, would add lines to the answer (CVE-2020-5260)
 */
export function credentialLines(
  { authtype, bothForms }: GitCredentialRequest,
  { username, password }: { username: string; password: string },
  expiry: number,
): string {
  // The script prints with `echo`, and in some shells a backslash is special to that.
  if (/[\p{Cc}\\]/u.test(username)) {
    throw new Problem({
      kind: 'not-a-line',
      what: 'AWS STS gave credentials with a character that no credentials have, so Git does not get them.',
      why: 'Something else answered in its place.',
      fix: 'Check your network, your proxy and AWS_ENDPOINT_URL_STS if you set it, then try again.',
    });
  }
  const lines = [`password_expiry_utc=${Math.floor(expiry / 1000)}`, ''];
  if (bothForms || !authtype) lines.unshift(`username=${username}`, `password=${password}`);
  if (bothForms || authtype) {
    const credential = Buffer.from(`${username}:${password}`).toString('base64');
    lines.unshift('capability[]=authtype', 'authtype=Basic', `credential=${credential}`, 'ephemeral=1');
  }
  return lines.join('\n');
}
