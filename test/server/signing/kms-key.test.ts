import { calculateJwkThumbprint, importJWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { readSigningKey } from '../../../server/config/signing-key.ts';
import { jwsSignature } from '../../../server/signing/ecdsa-signature.ts';
import { KeyPlace } from '../../../server/signing/key-place.ts';
import { DatabaseKeyRing } from '../../../server/signing/key-ring.ts';
import { signJwt } from '../../../server/signing/sign-jwt.ts';
import { openFile } from '../../../server/store/sqlite/open-store.ts';
import type { Store } from '../../../server/store/store.ts';
import type { KmsKey } from '../../aws/kms/key.ts';
import { type LocalKms, startLocalKms } from '../../aws/kms/start.ts';
import { useLocalKms } from '../kms/use-local-kms.ts';
import { newDatabase } from '../settings.ts';
import { MASTER } from './master.ts';

let local: LocalKms;
let key: KmsKey;
beforeAll(async () => {
  local = await startLocalKms();
  useLocalKms(local);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await local.close();
});
beforeEach(() => {
  local.fault = undefined;
  key = local.createKey();
});

async function newStore(): Promise<Store> {
  const store = await openFile(newDatabase());
  onTestFinished(() => store.destroy());
  return store;
}

/** Opens the ring as a server with this setting does. */
async function openRing(store: Store, arn = key.arn) {
  const place = new KeyPlace(readSigningKey(`awskms:${arn}`));
  onTestFinished(() => place.close());
  return DatabaseKeyRing.open(store, MASTER, { now: () => 1_000, elapsed: () => 0 }, place);
}

const operations = () => local.log.map(({ operation, outcome }) => `${operation} ${outcome}`);

test('the first key of a server can be in KMS: its tokens verify with what is published', async () => {
  const store = await newStore();
  const ring = await openRing(store);
  const { kid, publicJwk } = ring.current();
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', (await importJWK(publicJwk, 'ES256')) as CryptoKey));
  expect(spki).toEqual(key.publicKey());
  expect(ring.published()).toEqual([
    { kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String), kid, alg: 'ES256', use: 'sig' },
  ]);
  expect(kid).toBe(await calculateJwkThumbprint(publicJwk));
  for (let round = 0; round < 100; round += 1) {
    const token = await signJwt(ring.current(), { sub: 'alice', round });
    const { payload, protectedHeader } = await jwtVerify(token, await importJWK(publicJwk, 'ES256'));
    expect(payload.round).toBe(round);
    expect(protectedHeader).toEqual({ alg: 'ES256', kid, typ: 'JWT' });
  }
  const rows = await store.selectFrom('signing_keys').selectAll().execute();
  expect(rows).toMatchObject([{ kid, state: 'current', source: `awskms:${key.arn}` }]);
  expect(JSON.stringify(rows)).not.toContain(key.privateScalar());
});

test('a known key is opened without asking KMS, so that a server starts while KMS is away', async () => {
  const store = await newStore();
  const { kid } = (await openRing(store)).current();
  local.fault = { kind: 'refuse' };
  const ring = await openRing(store);
  expect(ring.current().kid).toBe(kid);
  await expect(signJwt(ring.current(), {})).rejects.toMatchObject({
    kind: 'unavailable',
    category: 'unreachable',
    headers: { 'Retry-After': '2' },
    reason: expect.stringContaining(`Sign with ${key.arn}`),
  });
  local.fault = undefined;
  await signJwt(ring.current(), {});
});

test('an alias is asked once: what it is given later signs nothing that nobody could verify', async () => {
  const store = await newStore();
  const alias = local.alias('vouch', key);
  const ring = await openRing(store, alias);
  local.alias('vouch', local.createKey());
  await signJwt(ring.current(), {});
  expect(local.log.at(-1)).toMatchObject({ operation: 'Sign', key: key.arn });
  expect((await store.selectFrom('signing_keys').select('source').executeTakeFirstOrThrow()).source).toBe(
    `awskms:${key.arn}`,
  );
});

test('a signature of another key does not leave', async () => {
  const ring = await openRing(await newStore());
  for (const fault of [
    { kind: 'other-key', key: local.createKey() },
    { kind: 'garbage', body: JSON.stringify({ Signature: Buffer.from('no signature').toString('base64') }) },
  ] as const) {
    local.fault = fault;
    await expect(signJwt(ring.current(), {})).rejects.toMatchObject({
      kind: 'unavailable',
      reason: expect.stringContaining('the signature is not of the key that we publish'),
    });
  }
});

test.each([
  ['another curve', () => local.createKey({ spec: 'ECC_NIST_P384' }), /spec is ECC_NIST_P384/],
  ['another curve of the same length', () => local.createKey({ spec: 'ECC_SECG_P256K1' }), /spec is ECC_SECG_P256K1/],
  [
    'RSA',
    () => local.createKey({ spec: 'RSA_2048' }),
    /spec is RSA_2048 and its usage SIGN_VERIFY; .*\n.*aws kms create-key/,
  ],
  ['a symmetric key', () => local.createKey({ spec: 'SYMMETRIC_DEFAULT' }), /UnsupportedOperationException/],
  ['a key for other things', () => Object.assign(local.createKey(), { usage: 'KEY_AGREEMENT' }), /usage KEY_AGREEMENT/],
  ['a disabled key', () => Object.assign(local.createKey(), { state: 'Disabled' }), /is disabled(.|\n)*Enable the key/],
  [
    'a key about to be deleted',
    () => Object.assign(local.createKey(), { state: 'PendingDeletion' }),
    /Cancel its deletion/,
  ],
  ['an unknown key', () => ({ arn: key.arn.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }), /Check the ARN/],
])('%s is refused at the start, in words', async (_, make, said) => {
  const store = await newStore();
  const refused = openRing(store, (make() as { arn: string }).arn);
  await expect(refused).rejects.toMatchObject({ kind: 'kms-refused', message: expect.stringMatching(said) });
  expect(await store.selectFrom('signing_keys').selectAll().execute()).toEqual([]);
});

test('something else than a public key on P-256 is refused', async () => {
  for (const spki of [Buffer.from('no key'), local.createKey({ spec: 'ECC_SECG_P256K1' }).publicKey()]) {
    const answer = {
      KeyId: key.arn,
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      SigningAlgorithms: ['ECDSA_SHA_256'],
      PublicKey: spki.toString('base64'),
    };
    local.fault = { kind: 'garbage', body: JSON.stringify(answer) };
    await expect(openRing(await newStore())).rejects.toMatchObject({ kind: 'kms-refused' });
  }
});

test('what the server may not do is refused, and names what it needs', async () => {
  local.allow({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'kms:Sign', Resource: '*' } });
  onTestFinished(() =>
    local.allow({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }),
  );
  await expect(openRing(await newStore())).rejects.toThrow(/kms:GetPublicKey and kms:Sign on this key/);
});

test('a first start needs KMS', async () => {
  local.fault = { kind: 'refuse' };
  await expect(openRing(await newStore())).rejects.toMatchObject({ kind: 'kms-unreachable', category: 'unreachable' });
});

test('a database key is made without KMS', async () => {
  const before = operations().length;
  const ring = await DatabaseKeyRing.open(await newStore(), MASTER, { now: () => 1_000, elapsed: () => 0 });
  await signJwt(ring.current(), {});
  expect(operations()).toHaveLength(before);
});

test('DER becomes R and S of 32 bytes each, also when one of them is short', async () => {
  const integer = (hex: string) => `02${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`;
  const der = (r: string, s: string) => {
    const content = integer(r) + integer(s);
    return Buffer.from(`30${(content.length / 2).toString(16)}${content}`, 'hex');
  };
  const long = 'ff'.repeat(32);
  const cases: [string, string, string][] = [
    [`00${long}`, '01', long + '01'.padStart(64, '0')],
    ['7f', `00${long}`, '7f'.padStart(64, '0') + long],
    ['7f'.repeat(32), '7f'.repeat(31), '7f'.repeat(32) + '7f'.repeat(31).padStart(64, '0')],
  ];
  for (const [r, s, expected] of cases) {
    expect(Buffer.from(await jwsSignature(der(r, s))).toString('hex')).toBe(expected);
  }
  for (const wrong of [
    Buffer.alloc(0),
    Buffer.from('00', 'hex'),
    der(`01${long}`, '01'),
    Buffer.from('3003020101', 'hex'),
  ]) {
    await expect(jwsSignature(wrong)).rejects.toThrow();
  }
});
