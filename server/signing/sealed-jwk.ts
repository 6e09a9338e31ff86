import { CompactEncrypt, compactDecrypt, type JWK } from 'jose';
import { Problem } from '../problem/problem.ts';
import { deriveKey } from '../secrets.ts';

/**
 * Encrypts a JWK under the master key, as a JWE (RFC 7516, `dir` with A256GCM). Public keys are sealed too: only a holder of the master
 * key can have put one into the database, so nobody else can add a key to the key set.
 *
 * @param master the master key, 32 bytes
 */
export function sealJwk(jwk: JWK & { kid: string }, master: Buffer): Promise<string> {
  return new CompactEncrypt(Buffer.from(JSON.stringify(jwk)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: jwk.kid })
    .encrypt(wrappingKey(master));
}

/**
 * Opens a sealed JWK.
 *
 * @param kid the name that its row has
 * @param master the master key, 32 bytes
 * @throws Problem `signing-key-locked` when it was not sealed with this master key, or for another row
 */
export async function unsealJwk(kid: string, jwe: string, master: Buffer): Promise<JWK & { kid: string }> {
  const jwk = await open(jwe, wrappingKey(master));
  if (jwk?.kid === kid) return { ...jwk, kid };
  throw new Problem({
    kind: 'signing-key-locked',
    what: 'The signing key in the database cannot be opened: VOUCH_MASTER_KEY is not the one it was made with.',
    fix: 'Start the server with the first key, or restore the database that belongs to this one.',
  });
}

/** Whether a JWK was sealed for this row with this master key. */
export async function canUnseal(kid: string, jwe: string, master: Buffer): Promise<boolean> {
  return (await open(jwe, wrappingKey(master)))?.kid === kid;
}

/** A JWK without its private half. */
export function publicHalf<Key extends JWK>({ d: _secret, ...publicJwk }: Key): Omit<Key, 'd'> {
  return publicJwk;
}

function wrappingKey(master: Buffer): Buffer {
  return deriveKey(master, 'signing keys');
}

async function open(jwe: string, wrapping: Buffer): Promise<JWK | undefined> {
  try {
    const { plaintext } = await compactDecrypt(jwe, wrapping);
    return JSON.parse(Buffer.from(plaintext).toString()) as JWK;
  } catch {
    return undefined;
  }
}
