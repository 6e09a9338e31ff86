import { beforeAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../../server/certificates/certificate.ts';
import { LEVELS } from '../../../server/fido-metadata/levels.ts';
import { readMetadata } from '../../../server/fido-metadata/metadata.ts';
import { COMPROMISES } from '../../../server/fido-metadata/statuses.ts';
import type { Attestation } from '../../../server/key-policy/attestation.ts';
import { judgeKey, type KeyPolicy } from '../../../server/key-policy/judge.ts';
import { type Made, type Maker, makeAuthority, makeCertificate, makeMaker, type Wanted } from '../make-certificates.ts';
import { modelEntry, payloadOf } from '../metadata-blob.ts';
import type { Certificate } from '../soft-key.ts';

const AAGUID = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const OTHER = 'ee882879-721c-4913-9775-3dfcce97072a';
const NOW = Date.parse('2026-06-01T00:00:00Z');

let maker: Maker;
let good: Certificate;
beforeAll(async () => {
  maker = await makeMaker();
  good = await maker.attest(AAGUID);
});

const open: KeyPolicy = {
  allowed: undefined,
  mustProve: false,
  minLevel: undefined,
  roots: [],
  metadata: undefined,
};

const packed = (leaf: Certificate): Attestation => ({
  fmt: 'packed',
  x5c: [leaf.der, ...(leaf.chain ?? [])].map((der) => der.toString('base64')),
});

const key = (attestation: Attestation | null = packed(good), aaguid = AAGUID, enrolledAt = NOW) => ({
  aaguid,
  attestation,
  enrolledAt,
});

const judge = (policy: Partial<KeyPolicy>, ...which: Parameters<typeof key>) =>
  judgeKey({ ...open, ...policy }, key(...which), NOW);

/** Metadata in which the maker's root attests one model, with these reports. */
const metadataWith = (statusReports: Record<string, unknown>[], roots = [maker.root], more = {}) =>
  readMetadata(payloadOf({ entries: [modelEntry({ aaguid: AAGUID, roots, statusReports, ...more })] }));

const rootsOf = (...made: Made[]) => made.map(({ der }) => readCertificate(der));

describe('any key counts', () => {
  test('without a policy, with the name that our own table has', () => {
    expect(judge({}, null)).toEqual({ model: 'YubiKey 5 NFC', proven: false, level: null });
    expect(judge({}, null, '00000000-0000-0000-0000-000000000000')).toEqual({
      model: null,
      proven: false,
      level: null,
    });
  });

  test('with metadata that finds nothing wrong, proven or not', () => {
    const metadata = metadataWith([{ status: 'FIDO_CERTIFIED_L1', effectiveDate: '2024-01-01' }]);
    expect(judge({ metadata }, null)).toEqual({ model: 'Test Key 3000', proven: false, level: null });
    expect(judge({ metadata })).toEqual({ model: 'Test Key 3000', proven: true, level: 'L1' });
    expect(judge({ metadata }, packed(good), OTHER)).toMatchObject({ model: 'YubiKey 5', proven: false, level: null });
  });
});

test('only the allowed models count', () => {
  expect(judge({ allowed: new Set([AAGUID]) })).not.toHaveProperty('refusal');
  expect(judge({ allowed: new Set([OTHER]) }).refusal).toEqual({ kind: 'model-not-allowed' });
  expect(judge({ allowed: new Set() }).refusal).toEqual({ kind: 'model-not-allowed' });
});

describe('a proof', () => {
  test('leads to the root that the metadata has for the model, or to one of the administrator’s', () => {
    expect(judge({ mustProve: true, metadata: metadataWith([]) })).toMatchObject({ proven: true });
    expect(judge({ mustProve: true, roots: rootsOf(maker.root) })).toMatchObject({ proven: true });
    expect(judge({ mustProve: true, roots: rootsOf(maker.intermediate) })).toMatchObject({ proven: true });
    expect(judge({ mustProve: true, roots: rootsOf(maker.root), metadata: metadataWith([], []) })).toMatchObject({
      proven: true,
    });
  });

  test('is remembered for one set of trusted certificates and one time, not for others', async () => {
    const roots = rootsOf(maker.root);
    const foreign = rootsOf(await makeAuthority('Foreign'));
    const metadata = metadataWith([]);
    for (let round = 0; round < 2; round += 1) {
      expect(judge({ roots }).proven).toBe(true);
      expect(judge({ roots: foreign }).proven).toBe(false);
      expect(judge({ roots: foreign, metadata }).proven).toBe(true);
      expect(judge({ roots: foreign, metadata: metadataWith([], []) }).proven).toBe(false);
      expect(judge({ roots }, packed(good), OTHER).proven).toBe(false);
      expect(judge({ roots }, packed(good), AAGUID, Date.parse('2019-01-01')).proven).toBe(false);
    }
  });

  test('holds as long as the key does, if it held when the key was enrolled', async () => {
    const roots = rootsOf(maker.root);
    const brief = { notBefore: new Date('2024-01-01'), notAfter: new Date('2024-12-31') };
    const leaf = packed(await maker.attest(AAGUID, brief));
    const provenAt = (day: string) => judge({ roots }, leaf, AAGUID, Date.parse(day)).proven;
    expect(['2023-12-31', '2024-01-01', '2024-12-31', '2025-01-01'].map(provenAt)).toEqual([false, true, true, false]);
  });

  const unproven: [string, () => Promise<Partial<KeyPolicy>>, () => Promise<Attestation | null>, string][] = [
    ['of a key that showed no certificate', async () => ({}), async () => null, 'not-proven'],
    [
      'of a U2F key, whose attestation covers no model',
      async () => ({ roots: rootsOf(maker.root) }),
      async () => ({ ...packed(good), fmt: 'fido-u2f' }),
      'not-proven',
    ],
    [
      'of a model that the metadata does not know',
      async () => ({
        metadata: readMetadata(payloadOf({ entries: [modelEntry({ aaguid: OTHER, roots: [maker.root] })] })),
      }),
      async () => packed(good),
      'model-unknown',
    ],
    [
      'to a root that the metadata has for another model',
      async () => ({
        metadata: readMetadata(
          payloadOf({
            entries: [
              modelEntry({ aaguid: AAGUID, roots: [await makeAuthority('Foreign')] }),
              modelEntry({ aaguid: OTHER, roots: [maker.root] }),
            ],
          }),
        ),
      }),
      async () => packed(good),
      'chain-untrusted',
    ],
    [
      'to a foreign root',
      async () => ({ roots: rootsOf(await makeAuthority('Foreign')) }),
      async () => packed(good),
      'chain-untrusted',
    ],
    [
      'with a certificate for another model',
      async () => ({ metadata: metadataWith([]) }),
      async () => packed(await maker.attest(OTHER)),
      'chain-untrusted',
    ],
    [
      'with a certificate for no model, to a root for any',
      async () => ({ roots: rootsOf(maker.root) }),
      async () => packed({ ...(await makeCertificate({ by: maker.intermediate })), chain: [maker.intermediate.der] }),
      'chain-untrusted',
    ],
    [
      'with an authority’s certificate',
      async () => ({ metadata: metadataWith([]) }),
      async () => packed({ ...maker.intermediate, chain: [] }),
      'chain-untrusted',
    ],
    [
      'with a certificate that cannot be read',
      async () => ({ roots: rootsOf(maker.root) }),
      async () => ({ fmt: 'packed', x5c: ['AAAA'] }),
      'chain-untrusted',
    ],
  ];
  for (const [name, policy, attestation, kind] of unproven) {
    test(`${name} is none`, async () => {
      const judgement = judgeKey({ ...open, mustProve: true, ...(await policy()) }, key(await attestation()), NOW);
      expect(judgement).toMatchObject({ proven: false, level: null, refusal: { kind } });
      expect(judgeKey({ ...open, ...(await policy()) }, key(await attestation()), NOW)).not.toHaveProperty('refusal');
    });
  }

  test('needs no model in the certificate if the root attests this one alone', async () => {
    const leaf = packed({ ...(await makeCertificate({ by: maker.intermediate })), chain: [maker.intermediate.der] });
    const entries = [modelEntry({ aaguid: AAGUID, roots: [maker.root] })];
    expect(judge({ metadata: readMetadata(payloadOf({ entries })) }, leaf).proven).toBe(true);
    const shared = [...entries, modelEntry({ aaguid: OTHER, roots: [maker.root] })];
    expect(judge({ metadata: readMetadata(payloadOf({ entries: shared })) }, leaf).proven).toBe(false);
  });
});

describe('a certification level', () => {
  test('must be reached, and proven', () => {
    for (const [index, level] of LEVELS.entries()) {
      const metadata = metadataWith([{ status: `FIDO_CERTIFIED_${level}`, effectiveDate: '2024-01-01' }]);
      for (const [least, minLevel] of LEVELS.entries()) {
        const judgement = judge({ metadata, minLevel });
        if (index >= least) expect(judgement).toEqual({ model: 'Test Key 3000', proven: true, level });
        else expect(judgement.refusal).toEqual({ kind: 'level-too-low', level, least: minLevel });
      }
      expect(judge({ metadata, minLevel: 'L1' }, null).refusal).toEqual({ kind: 'not-proven' });
    }
  });

  test('of a model that has none is too low', () => {
    const refusal = { kind: 'level-too-low', level: null, least: 'L1' };
    expect(judge({ metadata: metadataWith([]), minLevel: 'L1' }).refusal).toEqual(refusal);
    expect(judge({ roots: rootsOf(maker.root), minLevel: 'L1' }).refusal).toEqual(refusal);
  });

  test('is that of the firmware that the certificate names', async () => {
    const metadata = metadataWith([
      { status: 'FIDO_CERTIFIED_L1', effectiveDate: '2023-01-01', authenticatorVersion: 5 },
      { status: 'FIDO_CERTIFIED_L2', effectiveDate: '2024-01-01', authenticatorVersion: 7 },
    ]);
    const levelOf = async (wanted: Wanted) => judge({ metadata }, packed(await maker.attest(AAGUID, wanted))).level;
    expect(await levelOf({ firmware: 5 })).toBe('L1');
    expect(await levelOf({ firmware: 7 })).toBe('L2');
    expect(await levelOf({})).toBe('L2');
  });
});

describe('a compromised model', () => {
  test('never counts, for any of the reasons, proven or not, even if it is allowed', () => {
    for (const status of COMPROMISES) {
      const metadata = metadataWith([
        { status: 'FIDO_CERTIFIED_L2', effectiveDate: '2024-01-01' },
        { status, effectiveDate: '2025-01-01' },
      ]);
      const refusal = { kind: 'model-compromised', compromise: status };
      expect(judge({ metadata }).refusal).toEqual(refusal);
      expect(judge({ metadata, allowed: new Set([AAGUID]), mustProve: true, minLevel: 'L1' }).refusal).toEqual(refusal);
      expect(judge({ metadata }, null).refusal).toEqual(refusal);
      expect(judge({ metadata }, packed(good), OTHER)).not.toHaveProperty('refusal');
    }
  });

  test('counts again for a key that proves the mended firmware', async () => {
    const metadata = metadataWith([
      { status: 'USER_VERIFICATION_BYPASS', effectiveDate: '2024-01-01', authenticatorVersion: 5 },
      { status: 'UPDATE_AVAILABLE', effectiveDate: '2025-01-01', authenticatorVersion: 6 },
    ]);
    const refusalOf = async (wanted: Wanted) => judge({ metadata }, packed(await maker.attest(AAGUID, wanted))).refusal;
    expect(await refusalOf({ firmware: 6 })).toBeUndefined();
    expect(await refusalOf({ firmware: 5 })).toMatchObject({ kind: 'model-compromised' });
    expect(await refusalOf({})).toMatchObject({ kind: 'model-compromised' });
    // What a certificate says that nobody trusts proves nothing.
    const forged = await makeMaker('Test Root');
    const claim = packed(await forged.attest(AAGUID, { firmware: 6 }));
    expect(judge({ metadata }, claim).refusal).toMatchObject({ kind: 'model-compromised' });
  });

  test('of one batch is that batch', async () => {
    const batch = await maker.attest(AAGUID);
    for (const field of ['batchCertificate', 'certificate']) {
      const metadata = metadataWith([
        { status: 'ATTESTATION_KEY_COMPROMISE', effectiveDate: '2025-01-01', [field]: batch.der.toString('base64') },
      ]);
      expect(judge({ metadata }, packed(batch)).refusal).toMatchObject({ kind: 'model-compromised' });
      expect(judge({ metadata }).refusal).toBeUndefined();
      expect(judge({ metadata }, null).refusal).toMatchObject({ kind: 'model-compromised' });
    }
    const whole = metadataWith([
      {
        status: 'ATTESTATION_KEY_COMPROMISE',
        effectiveDate: '2025-01-01',
        certificate: maker.root.der.toString('base64'),
      },
    ]);
    expect(judge({ metadata: whole }).refusal).toMatchObject({ kind: 'model-compromised' });
  });
});

test('a model’s name is readable, and never longer than 100 characters', () => {
  const named = (description: string) => judge({ metadata: metadataWith([], [maker.root], { description }) }).model;
  expect(named('  Key of the Test Maker  ')).toBe('Key of the Test Maker');
  expect(named('x'.repeat(200))).toBe('x'.repeat(100));
  for (const bad of ['', ' ', 'a\u202eb', 'a\nb', '\u2800']) expect(named(bad)).toBe('YubiKey 5 NFC');
});
