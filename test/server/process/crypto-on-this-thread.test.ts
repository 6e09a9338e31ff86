import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { beforeAll, expect, test, vi } from 'vitest';
import { computeOnThisThread } from '../../../server/process/crypto-on-this-thread.ts';

const { subtle } = crypto;
const usual = { digest: subtle.digest, verify: subtle.verify, importKey: subtle.importKey };
const elsewhere = {
  digest: (...rest: Parameters<typeof usual.digest>) => usual.digest.apply(subtle, rest),
  verify: (...rest: Parameters<typeof usual.verify>) => usual.verify.apply(subtle, rest),
  importKey: (...rest: unknown[]) => usual.importKey.apply(subtle, rest as Parameters<typeof usual.importKey>),
};
const ES256 = { name: 'ECDSA', hash: 'SHA-256' };
const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const usages: KeyUsage[] = ['sign', 'verify'];

beforeAll(computeOnThisThread);

/** What became of it: the value, or the error's name. */
async function ended<Value>(action: () => Promise<Value>): Promise<unknown> {
  try {
    const value = await action();
    return value instanceof ArrayBuffer ? Buffer.from(value).toString('hex') : value;
  } catch (error) {
    return (error as Error).name;
  }
}

const bytes = new Uint8Array(300).map((_, index) => index);
const data: [string, unknown][] = [
  ['nothing', new Uint8Array(0)],
  ['bytes', bytes],
  ['a part of a buffer', bytes.subarray(7, 99)],
  ['a buffer', bytes.buffer],
  ['a view', new DataView(bytes.buffer, 3, 20)],
  ['numbers of two bytes', new Uint16Array(bytes.buffer, 2, 9)],
  ['more than is computed at once', new Uint8Array(100_000)],
  ['text', 'text'],
  ['null', null],
];

test.each(data)('the hash of %s is the usual one, or the usual error', async (_, value) => {
  for (const algorithm of ['SHA-256', { name: 'SHA-256' }, 'SHA-384', 'MD5', null]) {
    const args = [algorithm, value] as Parameters<typeof subtle.digest>;
    expect(await ended(() => subtle.digest(...args))).toEqual(await ended(() => elsewhere.digest(...args)));
  }
});

test.each(data)('a signature of %s is verified as usual', async (_, value) => {
  const { privateKey, publicKey } = await subtle.generateKey(P256, false, usages);
  const content = value as BufferSource;
  const signature = await subtle.sign(ES256, privateKey, content).catch(() => new Uint8Array(64));
  for (const other of [signature, new Uint8Array(64)]) {
    const verified = await ended(() => subtle.verify(ES256, publicKey, other, content));
    expect(verified).toEqual(await ended(() => elsewhere.verify(ES256, publicKey, other, content)));
  }
});

test('what is not the key’s signature is refused as usual', async () => {
  const { privateKey, publicKey } = await subtle.generateKey(P256, false, usages);
  const other = await subtle.generateKey(P256, false, usages);
  const good = new Uint8Array(await subtle.sign(ES256, privateKey, bytes));
  const changed = good.with(5, (good[5] ?? 0) ^ 1);
  const wrong: [CryptoKey, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>][] = [
    [publicKey, changed, bytes],
    [publicKey, good, bytes.subarray(1)],
    [other.publicKey, good, bytes],
    [publicKey, good.subarray(1), bytes],
    [publicKey, new Uint8Array(64), bytes],
    [publicKey, new Uint8Array(0), bytes],
    [publicKey, new Uint8Array(200), bytes],
  ];
  for (const [key, signature, content] of wrong) {
    expect(await ended(() => subtle.verify(ES256, key, signature, content))).toBe(false);
    expect(await ended(() => elsewhere.verify(ES256, key, signature, content))).toBe(false);
  }
});

test('keys that may not be used so, and other algorithms, are refused or used as usual', async () => {
  const pair = await subtle.generateKey(P256, true, usages);
  const p384 = await subtle.generateKey({ ...P256, namedCurve: 'P-384' }, false, usages);
  const agreement = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
  for (const algorithm of [ES256, { ...ES256, hash: { name: 'SHA-384' } }, 'ECDSA', { name: 'HMAC' }, null]) {
    for (const key of [pair.privateKey, p384.privateKey, agreement.privateKey, null]) {
      const args = [algorithm, key, bytes, bytes] as unknown as Parameters<typeof subtle.verify>;
      expect(await ended(() => subtle.verify(...args))).toEqual(await ended(() => elsewhere.verify(...args)));
    }
  }
  const signature = await subtle.sign({ ...ES256, hash: 'SHA-384' }, p384.privateKey, bytes);
  expect(await subtle.verify({ ...ES256, hash: 'SHA-384' }, p384.publicKey, signature, bytes)).toBe(true);
});

test('keys are imported as usual, and only public ones can always be exported', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secret = privateKey.export({ format: 'jwk' });
  const shown = createPublicKey(privateKey).export({ format: 'jwk' });
  expect((await subtle.importKey('jwk', secret, P256, false, ['sign'])).extractable).toBe(false);
  for (const jwk of [shown, { ...shown, ext: false }]) {
    expect((await subtle.importKey('jwk', jwk, P256, false, ['verify'])).extractable).toBe(true);
  }
  const wrong: unknown[][] = [
    ['jwk', shown, P256, false, ['sign']],
    ['jwk', { ...shown, x: 'AA' }, P256, false, ['verify']],
    ['jwk', { ...shown, crv: 'P-384' }, P256, false, ['verify']],
    ['jwk', null, P256, false, ['verify']],
    ['raw', new Uint8Array(3), P256, false, ['verify']],
    [],
  ];
  for (const args of wrong) {
    const imported = await ended(() => subtle.importKey(...(args as unknown as Parameters<typeof subtle.importKey>)));
    expect(imported).toEqual(await ended(() => elsewhere.importKey(...args)));
  }
});

test('nothing of it waits for another thread', async () => {
  const { privateKey, publicKey } = await subtle.generateKey(P256, false, usages);
  const signature = await subtle.sign(ES256, privateKey, bytes);
  const done = vi.fn();
  const turn = new Promise<void>((resolve) => setImmediate(() => resolve(done())));
  expect(await subtle.verify(ES256, publicKey, signature, bytes)).toBe(true);
  await subtle.digest('SHA-256', bytes);
  expect(done).not.toHaveBeenCalled();
  await turn;
});
