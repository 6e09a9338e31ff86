import { randomBytes } from 'node:crypto';
import type { RegistrationResponseJSON } from '@simplewebauthn/server';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCertificate } from '../../../server/certificates/certificate.ts';
import { readMetadata } from '../../../server/fido-metadata/metadata.ts';
import type { KeyPolicy, KeyRefusal } from '../../../server/key-policy/judge.ts';
import { useChallenge } from '../../../server/webauthn/challenges.ts';
import { registrationOptions, verifyRegistration } from '../../../server/webauthn/registration.ts';
import type { RegistrationFault } from '../../../server/webauthn/registration-fault.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';
import { type Made, type Maker, makeAuthority, makeCertificate, makeMaker, type Wanted } from '../make-certificates.ts';
import { modelEntry, payloadOf } from '../metadata-blob.ts';
import { type Ceremony, SoftKey } from '../soft-key.ts';

const ORIGIN = 'http://localhost:3000';
const MODEL = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const OTHER = 'ee882879-721c-4913-9775-3dfcce97072a';
const NO_MODEL = '00000000-0000-0000-0000-000000000000';
const ALICE = { email: 'alice@example.com', userHandle: 'YWxpY2U' };

let opened: FeatureContext;
let maker: Maker;
let alone: Made;
beforeAll(async () => {
  opened = await openContext();
  maker = await makeMaker();
  alone = await makeCertificate();
});
afterAll(() => opened.close());

/** A registration that is wrong in one way. */
interface Wrong {
  how?: Ceremony;
  key?: SoftKey;
  policy?: Partial<KeyPolicy>;
  /** Changes what the browser sends. */
  change?: (answer: RegistrationResponseJSON) => unknown;
  /** What has happened to the challenge before. */
  before?: (challenge: string) => Promise<unknown>;
  binding?: string;
}

const bytes = (der: Buffer) => Uint8Array.from(der);

/** A statement with these certificates in place of the key's own. */
const withCertificates = (x5c: unknown): Wrong => ({ how: { attestation: alone, statement: { x5c } } });

/** An attestation certificate that is wrong, signed by nobody. */
const withCertificate = async (wanted: Wanted): Promise<Wrong> => ({
  how: { attestation: await makeCertificate(wanted) },
});

/** A key of the model, with this metadata about it. */
const judged = async (policy: Partial<KeyPolicy>, how: Ceremony = {}): Promise<Wrong> => ({
  how: { attestation: await maker.attest(MODEL), ...how },
  policy,
});

const metadataWith = (statusReports: Record<string, unknown>[] = [], aaguid = MODEL) =>
  readMetadata(payloadOf({ entries: [modelEntry({ aaguid, roots: [maker.root], statusReports })] }));

/** A COSE key of P-256 (RFC 9053, section 7.1.1). */
const p256 = (x: Buffer, y: Buffer) =>
  new Map<number, unknown>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, bytes(x)],
    [-3, bytes(y)],
  ]);

const extraBytes = (object: Buffer) => Buffer.concat([object, Buffer.from([0])]);

/** An attestation object of this form. */
const object = (members: [string, unknown][]) => () =>
  Buffer.from(isoCBOR.encode(new Map<string, unknown>(members) as never));

/** The reasons for which a registration is refused here. A key that is enrolled already is refused later (test/server/enrolment). */
type Reason =
  | 'challenge-used'
  | 'user-not-verified'
  | Exclude<RegistrationFault, 'already-enrolled'>
  | KeyRefusal['kind'];

/** Every reason, and the ways in which a registration can be wrong for that reason. */
const WRONG: Record<Reason, Record<string, () => Wrong | Promise<Wrong>>> = {
  'challenge-used': {
    'a challenge that was never issued': () => ({ how: { challenge: 'A'.repeat(43) } }),
    'a challenge that was used before': () => ({
      before: (challenge) => useChallenge(opened.context.store, NOW, 'enrol', 'b', challenge),
    }),
    'a challenge that is too old': () => ({
      before: () => opened.context.store.updateTable('challenges').set({ expires_at: NOW }).execute(),
    }),
    'a challenge for signing in': () => ({
      before: () => opened.context.store.updateTable('challenges').set({ purpose: 'sign-in' }).execute(),
    }),
    'the challenge of another enrolment': () => ({ binding: 'another' }),
    'client data that is not JSON': () => ({ change: (answer) => setResponse(answer, { clientDataJSON: 'AAAA' }) }),
    'no client data': () => ({ change: (answer) => setResponse(answer, { clientDataJSON: undefined }) }),
  },
  'user-not-verified': { 'a person who was not verified': () => ({ how: { userVerified: false } }) },
  framed: {
    'a page of another site around ours': () => ({ how: { crossOrigin: true } }),
    'a page of another site at the top': () => ({ how: { topOrigin: 'https://evil.example' } }),
  },
  'ceremony-type': { 'the type of an assertion': () => ({ how: { type: 'webauthn.get' } }) },
  origin: {
    'another port': () => ({ how: { origin: 'http://localhost:3001' } }),
    'another site': () => ({ how: { origin: 'https://localhost.evil.example' } }),
    'an Android app': () => ({ how: { origin: 'android:apk-key-hash:AAAA' } }),
  },
  'credential-type': {
    'another type of credential': () => ({ change: (answer) => ({ ...answer, type: 'password' }) }),
    'two different IDs': () => ({ change: (answer) => ({ ...answer, rawId: 'A'.repeat(43) }) }),
    'no ID': () => ({ change: (answer) => ({ ...answer, id: '', rawId: '' }) }),
  },
  'rp-id': { 'another RP ID': () => ({ how: { rpId: 'evil.example' } }) },
  'user-presence': { 'nobody at the key': () => ({ how: { userPresent: false } }) },
  'backup-eligible': {
    'a passkey that can be copied': () => ({ how: { backupEligible: true } }),
    'a passkey that was copied': () => ({ how: { backupEligible: true, backedUp: true } }),
    'a copied passkey that cannot be': () => ({ how: { backedUp: true } }),
  },
  'authenticator-data': {
    'authenticator data that is too short': () => ({ how: { changeData: (data) => data.subarray(0, 36) } }),
    'authenticator data with more after it': () => ({ how: { changeData: extraBytes } }),
  },
  'no-credential': {
    'authenticator data without a credential': () => ({
      how: {
        changeData: (data) => {
          const short = Buffer.from(data.subarray(0, 37));
          short[32] = 0x05;
          return short;
        },
      },
    }),
  },
  'credential-id-mismatch': {
    'another ID than the one that was signed': () => ({ how: { signedId: 'B'.repeat(43) } }),
  },
  'credential-id-length': {
    'an ID of 15 bytes': () => ({ how: { credentialId: randomBytes(15).toString('base64url') } }),
    'an ID of 1,024 bytes': () => ({ how: { credentialId: randomBytes(1024).toString('base64url') } }),
  },
  algorithm: {
    'an algorithm that was not asked for': () => ({ key: new SoftKey(ORIGIN, { curve: 'P-384', aaguid: MODEL }) }),
    'a public key without an algorithm': () => ({ how: { publicKey: new Map([[1, 2]]) } }),
  },
  'public-key': {
    'a point that is not on the curve': () => ({ how: { publicKey: p256(Buffer.alloc(32, 1), Buffer.alloc(32, 1)) } }),
    'a point of zeros': () => ({ how: { publicKey: p256(Buffer.alloc(32), Buffer.alloc(32)) } }),
    'a point that is cut off': () => ({ how: { changeData: (data) => data.subarray(0, -1) } }),
    'half a point': () => ({ how: { publicKey: p256(Buffer.alloc(32, 1), Buffer.alloc(0)) } }),
    'nothing but an algorithm': () => ({ how: { publicKey: new Map([[3, -7]]) } }),
    'an RSA key of 512 bits': () => ({
      how: {
        publicKey: new Map<number, unknown>([
          [1, 3],
          [3, -257],
          [-1, bytes(Buffer.alloc(64, 0xff))],
          [-2, bytes(Buffer.from([1, 0, 1]))],
        ]),
      },
    }),
  },
  'attestation-object': {
    junk: () => ({ change: (answer) => setResponse(answer, { attestationObject: 'AAAA' }) }),
    nothing: () => ({ change: (answer) => setResponse(answer, { attestationObject: '' }) }),
    'a number in place of text': () => ({ change: (answer) => setResponse(answer, { attestationObject: 7 }) }),
    'bytes after it': () => ({ how: { changeObject: extraBytes } }),
    'half of it': () => ({ how: { changeObject: (whole) => whole.subarray(0, 50) } }),
    'more than 32 KiB': () => ({ how: { changeObject: () => Buffer.alloc(32 * 1024 + 1, 0xa0) } }),
    'a list': () => ({ how: { changeObject: () => Buffer.from(isoCBOR.encode(['none'] as never)) } }),
    'no authenticator data': () => ({ how: { changeObject: object([['fmt', 'none']]) } }),
    'a statement that is no map': () => ({
      how: {
        changeObject: object([
          ['fmt', 'none'],
          ['attStmt', 'none'],
          ['authData', bytes(Buffer.alloc(37))],
        ]),
      },
    }),
    'a fourth member': () => ({
      how: {
        changeObject: (whole) => {
          const decoded = isoCBOR.decodeFirst(bytes(whole)) as unknown as Map<string, unknown>;
          return Buffer.from(isoCBOR.encode(decoded.set('epAtt', true) as never));
        },
      },
    }),
  },
  'attestation-format': Object.fromEntries(
    ['tpm', 'android-key', 'android-safetynet', 'apple', 'compound', 'PACKED', ''].map((format) => [
      `the format ${JSON.stringify(format)}`,
      () => ({ how: { attestation: alone, format } }),
    ]),
  ),
  statement: {
    'none, with a statement': () => ({ how: { statement: { alg: -7 } } }),
    'packed, without a signature': () => ({ how: { format: 'packed', statement: { alg: -7 } } }),
    'packed, with a signature of text': () => ({ how: { attestation: 'self', statement: { sig: 'AAAA' } } }),
    'packed, with a member more': () => ({
      how: { attestation: alone, statement: { ecdaaKeyId: bytes(Buffer.of(1)) } },
    }),
    'fido-u2f, without certificates': () => ({
      how: { format: 'fido-u2f', statement: { sig: bytes(Buffer.of(1)) }, aaguid: NO_MODEL },
    }),
  },
  'statement-algorithm': {
    'a self attestation by another algorithm': () => ({ how: { attestation: 'self', statement: { alg: -257 } } }),
    'an algorithm that does not exist': () => ({ how: { attestation: alone, statement: { alg: -1 } } }),
    'an algorithm of text': () => ({ how: { attestation: alone, statement: { alg: 'ES256' } } }),
    'the algorithm zero': () => ({ how: { attestation: alone, statement: { alg: 0 } } }),
  },
  'certificate-list': {
    // To the verifier these mean that there is no certificate.
    ...Object.fromEntries(
      [null, false, 0, '', undefined, []].map((x5c) => [
        `${JSON.stringify(x5c)} in its place`,
        () => ({ how: { attestation: 'self', statement: { x5c } } }),
      ]),
    ),
    'a certificate in place of it': () => withCertificates(bytes(alone.der)),
    'something else after the first': () => withCertificates([bytes(alone.der), null]),
    'nothing after the first': () => withCertificates([bytes(alone.der), new Uint8Array(0)]),
    'the same one twice': () => withCertificates([bytes(alone.der), bytes(alone.der)]),
    'nine of them': () =>
      withCertificates([bytes(alone.der), ...Array.from({ length: 8 }, (_, n) => Uint8Array.of(n))]),
    'more than 16 KiB of them': () => withCertificates([bytes(alone.der), new Uint8Array(16 * 1024)]),
    'two of them from a U2F key': () => ({
      how: { attestation: { ...alone, chain: [maker.root.der] }, format: 'fido-u2f', aaguid: NO_MODEL },
    }),
  },
  'certificate-subject': {
    'another organisational unit': () => withCertificate({ subject: 'C=CH, O=Test, OU=Something Else, CN=Key' }),
    'no organisation': () => withCertificate({ subject: 'C=CH, OU=Authenticator Attestation, CN=Key' }),
    'no name': () => withCertificate({ subject: 'C=CH, O=Test, OU=Authenticator Attestation' }),
    'no country': () => withCertificate({ subject: 'O=Test, OU=Authenticator Attestation, CN=Key' }),
  },
  'certificate-authority': { 'an authority’s certificate': () => withCertificate({ authority: true }) },
  'certificate-version': {
    'a certificate of version 2': () => {
      const der = Buffer.from(alone.der);
      // [0] INTEGER 2 (version 3) is the first member of what is signed.
      der[der.indexOf(Buffer.of(0xa0, 3, 2, 1, 2)) + 4] = 1;
      return { how: { attestation: { ...alone, der } } };
    },
  },
  'certificate-validity': {
    'a certificate that has expired': () => withCertificate({ notAfter: new Date('2020-06-01') }),
    'a certificate that is not valid yet': () => withCertificate({ notBefore: new Date('2119-01-01') }),
  },
  'certificate-model': {
    'a certificate for another model': async () => ({ how: { attestation: await maker.attest(OTHER) } }),
  },
  'u2f-model': {
    'a model from a U2F key, which has none': () => ({ how: { attestation: alone, format: 'fido-u2f' } }),
  },
  signature: {
    'a signature over something else': () => ({ how: { attestation: alone, badSignature: true } }),
    'a self attestation over something else': () => ({ how: { attestation: 'self', badSignature: true } }),
    'another key’s signature': async () => ({
      how: { attestation: { ...alone, privateKey: (await makeCertificate()).privateKey } },
    }),
    'a U2F signature over something else': () => ({
      how: { attestation: alone, format: 'fido-u2f', aaguid: NO_MODEL, badSignature: true },
    }),
    'another model than the one that was signed': async () => ({
      how: {
        attestation: await maker.attest(MODEL),
        aaguid: OTHER,
        changeObject: (whole) => Buffer.from(whole.toString('latin1').replace(hexOf(OTHER), hexOf(MODEL)), 'latin1'),
      },
    }),
  },
  other: {
    'a certificate that is none': () => withCertificates([Uint8Array.of(1, 2, 3)]),
    'a signature of no form': () => ({ how: { attestation: alone, statement: { sig: Uint8Array.of(1) } } }),
  },
  'model-not-allowed': { 'a model that is not in the list': () => judged({ allowed: new Set([OTHER]) }) },
  'model-compromised': {
    'a model that FIDO warns of': () =>
      judged({ metadata: metadataWith([{ status: 'USER_KEY_REMOTE_COMPROMISE', effectiveDate: '2025-01-01' }]) }),
    'the same, without a proof of it': () =>
      judged({ metadata: metadataWith([{ status: 'REVOKED', effectiveDate: '2025-01-01' }]) }, { attestation: 'none' }),
  },
  'not-proven': {
    'no certificate': () => judged({ mustProve: true, metadata: metadataWith() }, { attestation: 'none' }),
    'the key’s own word': () => judged({ mustProve: true, metadata: metadataWith() }, { attestation: 'self' }),
    'a U2F key’s certificate': async () => {
      const roots = [readCertificate(maker.root.der)];
      const attestation = await makeCertificate({ by: maker.root });
      return judged({ mustProve: true, roots }, { attestation, format: 'fido-u2f', aaguid: NO_MODEL });
    },
    'no certificate, when a level is asked for': () =>
      judged({ minLevel: 'L1', metadata: metadataWith() }, { attestation: 'none' }),
  },
  'model-unknown': { 'a model without metadata': () => judged({ mustProve: true, metadata: metadataWith([], OTHER) }) },
  'chain-untrusted': {
    'a certificate that nobody signed': () =>
      judged({ mustProve: true, metadata: metadataWith() }, { attestation: alone }),
    'a certificate without the one between': async () =>
      judged(
        { mustProve: true, metadata: metadataWith() },
        { attestation: { ...(await maker.attest(MODEL)), chain: [] } },
      ),
    'a foreign root': async () =>
      judged({ mustProve: true, roots: [readCertificate((await makeAuthority('Foreign')).der)] }),
    'a root of its own, with the trusted one’s name': async () => {
      const forged = await makeMaker();
      const leaf = await forged.attest(MODEL);
      const attestation = { ...leaf, chain: [...(leaf.chain ?? []), forged.root.der] };
      return judged({ mustProve: true, metadata: metadataWith() }, { attestation });
    },
    'an attestation certificate that signed another': async () => {
      const first = await makeCertificate({ by: maker.intermediate, aaguid: MODEL });
      const second = await makeCertificate({ by: first, aaguid: MODEL, subject: `${first.subject} 2` });
      const attestation = { ...second, chain: [first.der, maker.intermediate.der] };
      return judged({ mustProve: true, metadata: metadataWith() }, { attestation });
    },
    'an authority that has expired': async () => {
      const expired = await makeAuthority('Expired', { by: maker.root, notAfter: new Date('2025-01-01') });
      const attestation = { ...(await makeCertificate({ by: expired, aaguid: MODEL })), chain: [expired.der] };
      return judged({ mustProve: true, metadata: metadataWith() }, { attestation });
    },
    'a certificate without a model, from a root for all': async () => {
      const attestation = { ...(await makeCertificate({ by: maker.intermediate })), chain: [maker.intermediate.der] };
      return judged({ mustProve: true, roots: [readCertificate(maker.root.der)] }, { attestation });
    },
  },
  'level-too-low': {
    'a model with a lower level': () =>
      judged({
        minLevel: 'L2',
        metadata: metadataWith([{ status: 'FIDO_CERTIFIED_L1plus', effectiveDate: '2024-01-01' }]),
      }),
    'a model without a level': () => judged({ minLevel: 'L1', metadata: metadataWith() }),
  },
};

const hexOf = (aaguid: string) => Buffer.from(aaguid.replaceAll('-', ''), 'hex').toString('latin1');

function setResponse(answer: RegistrationResponseJSON, fields: Record<string, unknown>): unknown {
  return { ...answer, response: { ...answer.response, ...fields } };
}

/** The problem that a registration ends with. */
async function outcome({ how, key, policy, change, before, binding = 'b' }: Wrong): Promise<unknown> {
  await opened.context.store.deleteFrom('challenges').execute();
  const options = await registrationOptions(opened.context, 'b', ALICE, []);
  await before?.(options.challenge);
  const answer = (key ?? new SoftKey(ORIGIN, { aaguid: MODEL })).create(options, how);
  const context = { ...opened.context, keyPolicy: () => ({ ...opened.context.keyPolicy(), ...policy }) };
  return verifyRegistration(context, binding, (change?.(answer) ?? answer) as RegistrationResponseJSON).then(
    (good) => good,
    (problem: unknown) => problem,
  );
}

test('without a mistake, what the rows below change is accepted', async () => {
  for (const good of [
    {},
    { how: { attestation: alone } },
    { how: { attestation: 'self' as const } },
    { how: { attestation: alone, format: 'fido-u2f', aaguid: NO_MODEL } },
    await judged({ mustProve: true, metadata: metadataWith() }),
    await judged({ mustProve: true, roots: [readCertificate(maker.root.der)] }),
    await judged({
      minLevel: 'L2',
      allowed: new Set([MODEL]),
      metadata: metadataWith([{ status: 'FIDO_CERTIFIED_L2', effectiveDate: '2024-01-01' }]),
    }),
  ]) {
    expect(await outcome(good)).toMatchObject({ id: expect.any(String) });
  }
});

test('there are at least 25 reasons', () => {
  expect(Object.keys(WRONG).length).toBeGreaterThanOrEqual(25);
});

/** Reasons that are kinds of problems themselves. */
const KINDS = ['challenge-used', 'user-not-verified'];

for (const [reason, ways] of Object.entries(WRONG)) {
  for (const [name, make] of Object.entries(ways)) {
    test(`${reason}: ${name}`, async () => {
      expect(await outcome(await make())).toMatchObject({
        category: 'refused',
        ...(KINDS.includes(reason) ? { kind: reason, members: {} } : { kind: 'key-refused', members: { reason } }),
      });
    });
  }
}
