import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../../server/config/config.ts';
import { registrationOptions, verifyRegistration } from '../../../server/webauthn/registration.ts';
import { type FeatureContext, openContext } from '../feature-context.ts';
import { selfSignedCertificate } from '../make-certificates.ts';
import { type Ceremony, type Certificate, SoftKey } from '../soft-key.ts';

const YUBIKEY = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const ALICE = { email: 'alice@example.com', userHandle: 'YWxpY2U' };

let opened: FeatureContext;
let certificate: Certificate;
beforeAll(async () => {
  opened = await openContext();
  certificate = await selfSignedCertificate();
});
afterAll(() => opened.close());

const newKey = () => new SoftKey('http://localhost:3000', { aaguid: YUBIKEY });
const options = () => registrationOptions(opened.context, 'b', ALICE, []);

/** Registers a key under a policy. */
async function register(
  how: Ceremony = {},
  policy: Partial<Config> = {},
  key = newKey(),
  transports: unknown = ['usb'],
) {
  const answer = key.create(await options(), how);
  const context = { ...opened.context, config: { ...opened.context.config, ...policy } };
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

  const wrong: [string, Ceremony, string, RegExp][] = [
    ['of another origin', { origin: 'http://localhost:3001' }, 'key-refused', /origin/],
    ['for another RP ID', { rpId: 'evil.example' }, 'key-refused', /RP ID/],
    ['of the type of an assertion', { type: 'webauthn.get' }, 'key-refused', /type/],
    ['from a frame', { topOrigin: 'https://evil.example' }, 'key-refused', /frame/],
    ['without user presence', { userPresent: false }, 'key-refused', /presen/],
    ['without user verification', { userVerified: false }, 'user-not-verified', /User verification/],
    ['of a passkey that can be copied', { backupEligible: true }, 'key-refused', /eligible for backup/],
    ['under an ID other than the signed one', { signedId: 'B'.repeat(43) }, 'key-refused', /not the one in/],
    ['with an ID of 15 bytes', { credentialId: randomBytes(15).toString('base64url') }, 'key-refused', /15 bytes/],
    [
      'with an ID of 1,024 bytes',
      { credentialId: randomBytes(1024).toString('base64url') },
      'key-refused',
      /1024 bytes/,
    ],
    ['with a signature over something else', { attestation: 'self', badSignature: true }, 'key-refused', /verif/],
    ['with an incomplete public key', { publicKey: new Map<number, unknown>([[3, -7]]) }, 'key-refused', /./],
    ['with a challenge that was never issued', { challenge: 'A'.repeat(43) }, 'challenge-used', /unknown/],
  ];
  for (const [name, how, problem, reason] of wrong) {
    test(`${name} is refused`, async () => {
      const reasonText = { asymmetricMatch: (text: string) => reason.test(text) };
      await expect(register(how)).rejects.toMatchObject({ category: 'refused', kind: problem, reason: reasonText });
    });
  }

  test('may have an ID of 16 to 1,023 bytes', async () => {
    for (const length of [16, 1023]) {
      const credentialId = randomBytes(length).toString('base64url');
      expect((await register({ credentialId })).id).toBe(credentialId);
    }
  });

  test('of an algorithm that was not asked for is refused', async () => {
    const key = new SoftKey('http://localhost:3000', { curve: 'P-384' });
    await expect(register({}, {}, key)).rejects.toMatchObject({ kind: 'key-refused' });
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

describe('the administrator’s policy', () => {
  test('names the models that may be enrolled; without names, all may', async () => {
    const refused = { category: 'refused', kind: 'key-refused', reason: expect.stringContaining(YUBIKEY) };
    const others = ['00000000-0000-0000-0000-000000000000', 'ee882879-721c-4913-9775-3dfcce97072a'];
    await expect(register({}, { allowedAaguids: others })).rejects.toMatchObject(refused);
    await register({}, { allowedAaguids: [...others, YUBIKEY] });
    await register({}, { allowedAaguids: [] });
  });

  test('can demand a certificate: a list of at least one, each of them bytes', async () => {
    const refused = { category: 'refused', kind: 'key-refused', reason: expect.stringContaining('certificate') };
    const strict = { requireAttestationCert: true };
    await register({ attestation: certificate }, strict);
    for (const attestation of ['none', 'self'] as const) {
      await register({ attestation });
      await expect(register({ attestation }, strict)).rejects.toMatchObject(refused);
    }
    // To the verifier these mean no certificate, so it accepts the key's own signature as the attestation.
    for (const x5c of [null, false, 0, '', undefined]) {
      const how: Ceremony = { attestation: 'self', statement: { x5c } };
      await expect(register(how, strict)).rejects.toMatchObject({ ...refused, reason: 'no attestation certificate' });
    }
    for (const x5c of [[], [null], [''], [new Uint8Array(0)], Uint8Array.from(certificate.der)]) {
      const how: Ceremony = { attestation: 'self', statement: { x5c } };
      await expect(register(how, strict)).rejects.toMatchObject({ kind: 'key-refused' });
    }
    const der = Uint8Array.from(certificate.der);
    for (const second of [null, '', new Uint8Array(0)]) {
      const how: Ceremony = { attestation: certificate, statement: { x5c: [der, second] } };
      await expect(register(how, strict)).rejects.toMatchObject({ kind: 'key-refused' });
    }
  });
});
