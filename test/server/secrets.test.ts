import { hkdfSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { deriveKey, hash, randomSecret } from '../../server/secrets.ts';

test('a secret has 256 bits in base64url, and each one is different', () => {
  const secrets = Array.from({ length: 100 }, () => randomSecret());
  for (const secret of secrets) expect(secret).toMatch(/^[\w-]{43}$/);
  expect(new Set(secrets).size).toBe(100);
});

test('a hash is the SHA-256 of FIPS 180-4, in base64url', () => {
  const hex = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(hash('abc')).toBe(Buffer.from(hex, 'hex').toString('base64url'));
});

test('a derived key is what HKDF makes for its purpose, and differs from those for others', () => {
  const master = Buffer.alloc(32, 7);
  const key = deriveKey(master, 'signing keys');
  // It must never change, because databases hold what it has encrypted.
  expect(key).toEqual(Buffer.from(hkdfSync('sha256', master, '', 'vouch signing keys', 32)));
  expect(key).toHaveLength(32);
  expect(deriveKey(master, 'cookies')).not.toEqual(key);
  expect(deriveKey(Buffer.alloc(32, 8), 'signing keys')).not.toEqual(key);
});
