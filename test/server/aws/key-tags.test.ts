import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { issueToken } from '../../../server/aws/issue-token.ts';
import { readCertificate } from '../../../server/certificates/certificate.ts';
import { readMetadata } from '../../../server/fido-metadata/metadata.ts';
import type { KeyPolicy } from '../../../server/key-policy/judge.ts';
import { findActiveSession } from '../../../server/sessions/sessions.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';
import { type Maker, makeMaker } from '../make-certificates.ts';
import { modelEntry, payloadOf } from '../metadata-blob.ts';
import { keyRow, personRow, sessionRow } from '../rows.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';
const MODEL = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const OWN = { 'vouch:Email': ['alice@example.com'], 'vouch:Domain': ['example.com'] };

let opened: FeatureContext;
let maker: Maker;
beforeAll(async () => {
  opened = await openContext();
  maker = await makeMaker();
  const leaf = await maker.attest(MODEL);
  const x5c = [leaf.der, ...(leaf.chain ?? [])].map((der) => der.toString('base64'));
  const { store } = opened.context;
  await store.insertInto('people').values(personRow('alice', 'alice@example.com')).execute();
  for (const [id, attestation] of [
    ['proven', JSON.stringify({ fmt: 'packed', x5c })],
    ['silent', null],
  ] as const) {
    const key = keyRow(id, 'alice', { aaguid: MODEL, attestation, created_at: NOW });
    await store.insertInto('keys').values(key).execute();
    await store
      .insertInto('sessions')
      .values(sessionRow(id, 'alice', id, { auth_time: NOW }))
      .execute();
  }
});
afterAll(() => opened.close());

const metadataWith = (statusReports: Record<string, unknown>[], description?: string) =>
  readMetadata(
    payloadOf({
      entries: [
        modelEntry({
          aaguid: MODEL,
          roots: [maker.root],
          statusReports,
          ...(description === undefined ? {} : { description }),
        }),
      ],
    }),
  );

const certified = { status: 'FIDO_CERTIFIED_L2', effectiveDate: '2024-01-01' };

/** The session tags in a token that a session gets under a policy. */
async function tagsOf(session: 'proven' | 'silent', policy: Partial<KeyPolicy>) {
  const { keyPolicy } = opened.context;
  opened.context.keyPolicy = () => ({ ...keyPolicy(), ...policy });
  onTestFinished(() => {
    opened.context.keyPolicy = keyPolicy;
  });
  const active = await findActiveSession(opened.context.store, session, NOW);
  if (active === undefined) throw new Error('the session is not active');
  const { token } = await issueToken(opened.context, active, ROLE, { ip: '192.0.2.7', requestId: 'r-1' });
  opened.context.keyPolicy = keyPolicy;
  const { principal_tags: tags, transitive_tag_keys: transitive } = decodeJwt(token)['https://aws.amazon.com/tags'] as {
    principal_tags: Record<string, string[]>;
    transitive_tag_keys: string[];
  };
  // Later roles of a chain can ask for them too.
  expect(transitive).toEqual(Object.keys(tags));
  return tags;
}

test('the model and the level of a key are in the token where they are proven', async () => {
  const metadata = metadataWith([certified]);
  expect(await tagsOf('proven', { metadata })).toEqual({
    ...OWN,
    'vouch:KeyModel': ['Test Key 3000'],
    'vouch:KeyLevel': ['L2'],
  });
  expect(await tagsOf('silent', { metadata })).toEqual(OWN);
});

test('a model without a level has only its name, and without metadata it has the name that we know', async () => {
  expect(await tagsOf('proven', { metadata: metadataWith([]) })).toEqual({
    ...OWN,
    'vouch:KeyModel': ['Test Key 3000'],
  });
  const roots = [readCertificate(maker.root.der)];
  expect(await tagsOf('proven', { roots })).toEqual({ ...OWN, 'vouch:KeyModel': ['YubiKey 5 NFC'] });
  expect(await tagsOf('proven', {})).toEqual(OWN);
});

test('a compromised model is no proof: a session that runs already gets no tags', async () => {
  const metadata = metadataWith([certified, { status: 'ATTESTATION_KEY_COMPROMISE', effectiveDate: '2025-01-01' }]);
  expect(await tagsOf('proven', { metadata })).toEqual(OWN);
});

test('a model’s name has only the characters that STS takes', async () => {
  const nameOf = async (description: string) =>
    (await tagsOf('proven', { metadata: metadataWith([], description) }))['vouch:KeyModel'] ?? [];
  expect(await nameOf('Key FIDO-NFC(CTAP2.1, U2F) & more')).toEqual(['Key FIDO-NFC_CTAP2.1_ U2F_ _ more']);
  expect(await nameOf('Schlüssel №1 «鍵» 🔑')).toEqual(['Schlüssel _1 _鍵_ _']);
  for (const [value = ''] of [await nameOf('x'.repeat(300)), await nameOf('"\\<>;'.repeat(50))]) {
    expect(value).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u);
  }
});
