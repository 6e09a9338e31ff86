import { settingRefused } from '../problem/setting-refused.ts';
import { readBoolean } from './boolean.ts';

/**
 * Whether people may carry the code of a sign-in to their terminal themselves. Whoever is talked into reading it to somebody gives their
 * session away, so it is off unless an administrator says otherwise.
 *
 * @param env the process's environment
 * @param issuer the issuer's URL
 * @throws Problem `setting-refused`
 */
export function readAllowPaste(env: Record<string, string | undefined>, issuer: URL): boolean {
  const allowed = readBoolean(env, 'VOUCH_ALLOW_PASTE');
  // RFC 8252, section 7.2: nobody can claim that address, so oidc-provider takes no redirect URI there.
  if (allowed && issuer.protocol === 'https:' && issuer.hostname === 'localhost') {
    throw settingRefused('VOUCH_ALLOW_PASTE', 'true', 'used with an issuer that other machines can reach');
  }
  return allowed;
}
