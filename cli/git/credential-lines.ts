import type { GitCredentialRequest } from './request.ts';

/**
 * The answer in Git's terms (git-credential(1)). Where Git takes it, the credential is already in the form of HTTP's header,
 * and `ephemeral`: so that no helper is asked to store it, which `password_expiry_utc` alone leaves to the helpers. The script
 * gets both forms, and gives Git one of them.
 *
 * @param expiry when CodeCommit no longer takes it, in milliseconds since 1970
 */
export function credentialLines(
  { authtype, bothForms }: GitCredentialRequest,
  { username, password }: { username: string; password: string },
  expiry: number,
): string {
  const lines = [`password_expiry_utc=${Math.floor(expiry / 1000)}`, ''];
  if (bothForms || !authtype) lines.unshift(`username=${username}`, `password=${password}`);
  if (bothForms || authtype) {
    const credential = Buffer.from(`${username}:${password}`).toString('base64');
    lines.unshift('capability[]=authtype', 'authtype=Basic', `credential=${credential}`, 'ephemeral=1');
  }
  return lines.join('\n');
}
