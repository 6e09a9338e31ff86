import { hash as digest, hkdfSync, randomBytes } from 'node:crypto';

/** A new secret of 256 bits, base64url. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256 in base64url: the stored form of a secret with full entropy. */
export function hash(value: string): string {
  return digest('sha256', value, 'base64url');
}

/**
 * Derives a key for one purpose (HKDF-SHA-256, RFC 5869), so that no two uses of the master key share bytes.
 *
 * @param masterKey 32 bytes
 * @param purpose what the key is for
 * @returns 32 bytes
 */
export function deriveKey(masterKey: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, '', `vouch ${purpose}`, 32));
}
