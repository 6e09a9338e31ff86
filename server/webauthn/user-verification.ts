import { Problem } from '../problem/problem.ts';

/** Where the flags are in authenticator data, and the flag UV (WebAuthn, section 6.1). */
const [FLAGS_AT, USER_VERIFIED] = [32, 0x04];

/**
 * Tells a person whose key did not check that it is they: a PIN helps. It comes before the verifier, which refuses this too, but says why
 * only in words. Data that is too short for flags is left to the verifier.
 *
 * @param authenticatorData as the key gave it, not verified yet
 * @throws Problem `user-not-verified`
 */
export function checkUserVerified(authenticatorData: Uint8Array): void {
  const flags = authenticatorData[FLAGS_AT];
  if (flags === undefined || (flags & USER_VERIFIED) !== 0) return;
  throw new Problem({
    kind: 'user-not-verified',
    what: 'The key did not check that it is you',
    fix: 'Set a PIN (or a fingerprint) on the key, then try again.',
    reason: 'User verification was required, but the flag UV is not set',
  });
}
