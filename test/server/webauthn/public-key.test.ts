import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import { describe, expect, test } from 'vitest';
import { isGoodEd25519Point } from '../../../server/webauthn/ed25519-point.ts';
import { checkPublicKey } from '../../../server/webauthn/public-key.ts';
import type { CoseKey } from '../soft-key.ts';

const bytes = (base64url: string | undefined) => Uint8Array.from(Buffer.from(base64url ?? '', 'base64url'));
const jwk = (key: KeyObject) => key.export({ format: 'jwk' });

const ec = jwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const ed = jwk(generateKeyPairSync('ed25519').publicKey);
const rsaOf = (modulusLength: number, publicExponent = 65_537) =>
  jwk(generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey);
const rsa = rsaOf(2048);
const rsa4096 = rsaOf(4096);

type Entries = [number, unknown][];
const es256: Entries = [
  [1, 2],
  [3, -7],
  [-1, 1],
  [-2, bytes(ec.x)],
  [-3, bytes(ec.y)],
];
const eddsa: Entries = [
  [1, 1],
  [3, -8],
  [-1, 6],
  [-2, bytes(ed.x)],
];
const rs256 = (key: { n?: string; e?: string } = rsa): Entries => [
  [1, 3],
  [3, -257],
  [-1, bytes(key.n)],
  [-2, bytes(key.e)],
];

/** The entries as a COSE key, with changes. A change to undefined removes the entry. */
function cose(entries: Entries, changes: Record<number, unknown> = {}): Uint8Array {
  const key: CoseKey = new Map(entries);
  for (const [label, value] of Object.entries(changes)) {
    if (value === undefined) key.delete(Number(label));
    else key.set(Number(label), value);
  }
  return isoCBOR.encode(key as never);
}

describe('a public key is accepted', () => {
  const good: [string, Uint8Array][] = [
    ['of ES256', cose(es256)],
    ['of EdDSA', cose(eddsa)],
    ['of RS256 with 2048 bits', cose(rs256())],
    ['of RS256 with 4096 bits', cose(rs256(rsa4096))],
    ['of RS256 with an exponent of 4 bytes', cose(rs256(), { [-2]: Uint8Array.of(1, 0, 0, 1) })],
  ];
  for (const [name, key] of good) {
    test(name, () => checkPublicKey(key));
  }
});

describe('a public key is refused', () => {
  const zero = new Uint8Array(32);
  const wrong: [string, Uint8Array, RegExp?][] = [
    ['off the curve', cose(es256, { [-3]: bytes(ec.x) })],
    ['at the origin', cose(es256, { [-2]: zero, [-3]: zero })],
    ['with a coordinate of 31 bytes', cose(es256, { [-2]: bytes(ec.x).slice(1) })],
    ['with a coordinate of 33 bytes', cose(es256, { [-2]: Uint8Array.of(0, ...bytes(ec.x)) })],
    ['with a sign instead of a coordinate', cose(es256, { [-3]: true })],
    ['with text as a coordinate', cose(es256, { [-3]: ec.y })],
    ['with a coordinate as a list of its bytes', cose(es256, { [-2]: [...bytes(ec.x)] })],
    ['of ES256 on another curve', cose(es256, { [-1]: 2 })],
    ['of ES256 with the type of RSA', cose(es256, { 1: 3 })],
    ['of ES256 with the type of EdDSA', cose(es256, { 1: 1 })],
    ['of RS256 with the parts of ES256', cose(es256, { 1: 3, 3: -257 })],
    ['of ES256 without a type', cose(es256, { 1: undefined })],
    ['of ES256 without a curve', cose(es256, { [-1]: undefined })],
    ['of an algorithm that was not asked for', cose(es256, { 3: -35 }), /not asked for/],
    ['without an algorithm', cose(es256, { 3: undefined })],
    ['with its algorithm as text', cose(es256, { 3: '-7' })],
    ['with an extra parameter', cose(es256, { 2: new Uint8Array(30_000) })],
    ['that is a list', isoCBOR.encode([1, 2, 3, -7] as never), /not a COSE key/],
    ['that is null', isoCBOR.encode(null as never), /not a COSE key/],
    ['of EdDSA with 31 bytes', cose(eddsa, { [-2]: bytes(ed.x).slice(1) })],
    ['of EdDSA with a list of its bytes', cose(eddsa, { [-2]: [...bytes(ed.x)] })],
    ['of EdDSA on X25519', cose(eddsa, { [-1]: 4 })],
    ['of EdDSA with the type of ES256', cose(eddsa, { 1: 2 })],
    ['of EdDSA off the curve', cose(eddsa, { [-2]: Uint8Array.of(2, ...new Uint8Array(31)) })],
    ['of EdDSA that anyone can sign for', cose(eddsa, { [-2]: Uint8Array.of(1, ...new Uint8Array(31)) })],
    ['of RSA with 8 bits', cose(rs256({ n: '_w', e: 'AQAB' }))],
    ['of RSA with 1024 bits', cose(rs256(rsaOf(1024)))],
    ['of RSA with 2040 bits in 256 bytes', cose(rs256(), { [-1]: Uint8Array.of(0, ...bytes(rsa.n).slice(1)) })],
    ['of RSA with 2047 bits', cose(rs256(), { [-1]: Uint8Array.of(0x7f, ...bytes(rsa.n).slice(1)) })],
    ['of RSA with 30 KB', cose(rs256(), { [-1]: new Uint8Array(30_000).fill(0xff) })],
    ['of RSA with 4104 bits', cose(rs256(), { [-1]: new Uint8Array(513).fill(0xff) })],
    [
      'of RSA with 4096 bits and a zero before them',
      cose(rs256(rsa4096), { [-1]: Uint8Array.of(0, ...bytes(rsa4096.n)) }),
    ],
    ['of RSA with an even modulus', cose(rs256(), { [-1]: new Uint8Array(256).fill(0xfe) })],
    ['of RSA with exponent 1', cose(rs256(), { [-2]: Uint8Array.of(0, 0, 1) })],
    ['of RSA with exponent 3', cose(rs256(rsaOf(2048, 3)))],
    ['of RSA with an exponent of 5 bytes', cose(rs256(), { [-2]: Uint8Array.of(1, 0, 0, 0, 1) })],
    ['of RSA with an even exponent', cose(rs256(), { [-2]: Uint8Array.of(2, 0, 0) })],
    ['of RSA with a long exponent', cose(rs256(), { [-2]: new Uint8Array(256).fill(0xff) })],
    ['of RSA without an exponent', cose(rs256(), { [-2]: undefined })],
  ];
  for (const [name, key, reason] of wrong) {
    test(name, () => expect(() => checkPublicKey(key)).toThrow(reason));
  }
});

describe('a point of Ed25519', () => {
  const hex = (text: string) => Buffer.from(text, 'hex');

  test('is what every key pair has', () => {
    for (let count = 0; count < 50; count += 1) {
      expect(isGoodEd25519Point(bytes(jwk(generateKeyPairSync('ed25519').publicKey).x))).toBe(true);
    }
    // RFC 8032, section 7.1, test 1.
    expect(isGoodEd25519Point(hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'))).toBe(true);
  });

  // The list in libsodium's ge25519_has_small_order, and numbers that are not below the prime.
  const weak = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ];
  for (const text of weak) {
    test(`is not ${text}, whatever its sign`, () => {
      const point = hex(text);
      expect(isGoodEd25519Point(point)).toBe(false);
      point[31] = (point[31] ?? 0) | 0x80;
      expect(isGoodEd25519Point(point)).toBe(false);
      // We must check this ourselves, because Node accepts it.
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') };
      expect(createPublicKey({ key: jwk, format: 'jwk' }).asymmetricKeyType).toBe('ed25519');
    });
  }

  test('is about half of all values of 32 bytes, and nothing of another length', () => {
    const candidates = Array.from({ length: 200 }, (_, index) => Uint8Array.of(index, 7, ...new Uint8Array(30)));
    const good = candidates.filter((candidate) => isGoodEd25519Point(candidate)).length;
    expect(good).toBeGreaterThan(60);
    expect(good).toBeLessThan(140);
    const point = hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(isGoodEd25519Point(point)).toBe(true);
    for (const wrong of [point.subarray(0, 31), Buffer.concat([point, Buffer.alloc(1)]), Buffer.alloc(0)]) {
      expect(isGoodEd25519Point(wrong)).toBe(false);
    }
  });
});
