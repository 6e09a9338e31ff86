import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMetadata } from '../../../server/fido-metadata/metadata.ts';
import type { KeyPolicy } from '../../../server/key-policy/judge.ts';
import { registrationOptions, verifyRegistration } from '../../../server/webauthn/registration.ts';
import { type FeatureContext, openContext } from '../feature-context.ts';
import { type Maker, makeCertificate, makeMaker } from '../make-certificates.ts';
import { modelEntry, payloadOf } from '../metadata-blob.ts';
import { type Ceremony, SoftKey } from '../soft-key.ts';

const YUBIKEY = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const NO_MODEL = '00000000-0000-0000-0000-000000000000';
const ALICE = { email: 'alice@example.com', userHandle: 'YWxpY2U' };

let opened: FeatureContext;
let maker: Maker;
beforeAll(async () => {
  opened = await openContext();
  maker = await makeMaker();
});
afterAll(() => opened.close());

const newKey = () => new SoftKey('http://localhost:3000', { aaguid: YUBIKEY });
const options = () => registrationOptions(opened.context, 'b', ALICE, []);

/** Registers a key under a policy. */
async function register(
  how: Ceremony = {},
  policy: Partial<KeyPolicy> = {},
  key = newKey(),
  transports: unknown = ['usb'],
) {
  const answer = key.create(await options(), how);
  const context = { ...opened.context, keyPolicy: () => ({ ...opened.context.keyPolicy(), ...policy }) };
  return verifyRegistration(context, 'b', { ...answer, response: { ...answer.response, transports } } as never);
}

describe('the options of a registration', () => {
  test('ask for a discoverable credential on a roaming key that verifies its user, and for its model, within 5 minutes', async () => {
    expect(await options()).toEqual({
      rp: { name: 'Vouch', id: 'localhost' },
      user: { id: ALICE.userHandle, name: ALICE.email, displayName: ALICE.email },
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      // ES256, EdDSA, RS256.
      pubKeyCredParams: [-7, -8, -257].map((alg) => ({ alg, type: 'public-key' })),
      timeout: 300_000,
      attestation: 'direct',
      excludeCredentials: [],
      authenticatorSelection: {
        authenticatorAttachment: 'cross-platform',
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      extensions: expect.anything(),
      hints: ['security-key'],
    });
  });

  test('exclude the keys that the person has', async () => {
    const has = { id: 'AAAA', transports: ['nfc'] };
    const { excludeCredentials } = await registrationOptions(opened.context, 'b', ALICE, [has]);
    expect(excludeCredentials).toEqual([{ ...has, type: 'public-key' }]);
  });
});

describe('a registration', () => {
  test('gives what is to be stored about the key', async () => {
    const key = newKey();
    expect(await register({ counter: 7 }, {}, key)).toEqual({
      id: key.id,
      publicKey: key.publicKey,
      counter: 7,
      transports: ['usb'],
      aaguid: YUBIKEY,
      model: 'YubiKey 5 NFC',
      attestation: null,
    });
  });

  test('may have an ID of 16 to 1,023 bytes', async () => {
    for (const length of [16, 1023]) {
      const credentialId = randomBytes(length).toString('base64url');
      expect((await register({ credentialId })).id).toBe(credentialId);
    }
  });

  test('keeps at most 8 short names of transports', async () => {
    const kept = async (transports: unknown) => (await register({}, {}, newKey(), transports)).transports;
    expect(await kept(['usb', 'hybrid', 'smart-card'])).toEqual(['usb', 'hybrid', 'smart-card']);
    expect(await kept(['x'.repeat(20), 'x'.repeat(21), '', 'USB', 'u sb', 'usb\n', ' usb', 7, null, ['usb']])).toEqual([
      'x'.repeat(20),
    ]);
    expect(await kept([...'abcdefghij'])).toEqual([...'abcdefgh']);
    for (const none of [null, 'usb', 7, { 0: 'usb', length: 1 }]) expect(await kept(none)).toEqual([]);
  });
});

describe('the certificates that a key shows', () => {
  test('are kept with it, whatever the rules on keys are, because rules change', async () => {
    const kept = async (how: Ceremony) => JSON.parse((await register(how)).attestation ?? 'null');
    const leaf = await maker.attest(YUBIKEY);
    expect(await kept({ attestation: leaf })).toEqual({
      fmt: 'packed',
      x5c: [leaf.der, maker.intermediate.der].map((der) => der.toString('base64')),
    });
    const alone = await makeCertificate();
    expect(await kept({ attestation: alone, format: 'fido-u2f', aaguid: NO_MODEL })).toEqual({
      fmt: 'fido-u2f',
      x5c: [alone.der.toString('base64')],
    });
    expect(await kept({ attestation: 'self' })).toBeNull();
    expect(await kept({ attestation: 'none' })).toBeNull();
  });

  test('prove its model to the rules that want that, and the metadata names it', async () => {
    const metadata = readMetadata(
      payloadOf({
        entries: [
          modelEntry({
            aaguid: YUBIKEY,
            roots: [maker.root],
            statusReports: [{ status: 'FIDO_CERTIFIED_L2', effectiveDate: '2024-01-01' }],
          }),
        ],
      }),
    );
    const allowed = new Set([YUBIKEY]);
    const leaf = await maker.attest(YUBIKEY);
    const rules = { metadata, allowed, mustProve: true, minLevel: 'L2' } as const;
    expect((await register({ attestation: leaf }, rules)).model).toBe('Test Key 3000');
  });
});

test('only the allowed models count', async () => {
  await register({}, { allowed: new Set([NO_MODEL, YUBIKEY]) });
  await register({}, { allowed: undefined });
  await expect(register({}, { allowed: new Set([NO_MODEL]) })).rejects.toMatchObject({
    category: 'refused',
    kind: 'key-refused',
    members: { reason: 'model-not-allowed', model: 'YubiKey 5 NFC' },
  });
});
