import { Problem } from '../problem/problem.ts';
import type { GitCredentialRequest } from './git-request.ts';

/**
 * The answer in Git's terms (git-credential(1)). Where Git takes it, the credential is already in the form of HTTP's header,
 * and `ephemeral`: so that no helper is asked to store it, which `password_expiry_utc` alone leaves to the helpers. The script
 * gets both forms, and gives Git one of them.
 *
 * @param expiry when CodeCommit no longer takes it, in milliseconds since 1970
 * @throws Problem `not-a-line` when the user name, which is STS's word, would bring lines of its own along (CVE-2020-5260)
 */
export function credentialLines(
  { authtype, bothForms }: GitCredentialRequest,
  { username, password }: { username: string; password: string },
  expiry: number,
): string {
  // The script prints with `echo`, to which a backslash means more than itself in some shells.
  if (/[\p{Cc}\\]/u.test(username)) {
    throw new Problem({
      kind: 'not-a-line',
      what: 'AWS STS gave credentials with a character in them that no credentials have, which Git is not told.',
      why: 'So something answered in its place.',
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
