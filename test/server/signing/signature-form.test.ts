import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { jwsSignature } from '../../../server/signing/ecdsa-signature.ts';
import { derOf, jwsFormOf } from '../../../server/signing/signature-form.ts';

test('signatures in both forms are what OpenSSL makes and takes', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const dsaEncoding = 'ieee-p1363';
  // Of so many, some have a number that begins with zeros, and half have one with a first bit that is set.
  for (let count = 0; count < 300; count += 1) {
    const data = Buffer.from(String(count));
    const der = sign('sha256', data, privateKey);
    expect(derOf(jwsFormOf(der))).toEqual(Uint8Array.from(der));
    expect(verify('sha256', data, { key: publicKey, dsaEncoding }, jwsFormOf(der))).toBe(true);
    const signature = sign('sha256', data, { key: privateKey, dsaEncoding });
    expect(verify('sha256', data, publicKey, derOf(signature))).toBe(true);
  }
});

test.each([
  ['zero', '00'.repeat(32)],
  ['one', `${'00'.repeat(31)}01`],
  ['a byte with its first bit', `${'00'.repeat(31)}80`],
  ['two bytes', `${'00'.repeat(30)}0180`],
  ['31 bytes', `00${'81'.repeat(31)}`],
  ['the largest', 'ff'.repeat(32)],
])('%s keeps its value in DER', async (_, number) => {
  const [one, other] = [number, `${'00'.repeat(31)}07`];
  for (const hex of [one + other, other + one]) {
    const signature = Uint8Array.from(Buffer.from(hex, 'hex'));
    const der = derOf(signature);
    expect(jwsFormOf(der)).toEqual(signature);
    expect(await jwsSignature(der)).toEqual(signature);
  }
});
