import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { makeCertificate, makeMaker, pem } from '../make-certificates.ts';
import { type Ceremony, SoftKey } from '../soft-key.ts';
import {
  countPeople,
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  moveClock,
  newEmail,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';

const folder = temporaryFolder();
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

describe('a registration is refused', () => {
  const wrong: [string, Ceremony, string][] = [
    ['from another origin', { origin: 'https://localhost.evil.example' }, 'key-refused'],
    ['for another RP ID', { rpId: 'evil.example' }, 'key-refused'],
    ['without user presence', { userPresent: false }, 'key-refused'],
    ['without user verification', { userVerified: false }, 'user-not-verified'],
    ['of the type of a sign-in', { type: 'webauthn.get' }, 'key-refused'],
    ['from a frame', { crossOrigin: true }, 'key-refused'],
    ['that does not say whether it is from a frame', { crossOrigin: null }, 'key-refused'],
    ['of a copy of a passkey', { backedUp: true }, 'key-refused'],
    [
      'with an incomplete public key',
      {
        publicKey: new Map<number, unknown>([
          [1, 2],
          [3, -7],
        ]),
      },
      'key-refused',
    ],
    [
      'with an ID other than the one that the key signed',
      { signedId: randomBytes(32).toString('base64url') },
      'key-refused',
    ],
    [
      'with the same ID in another spelling',
      { credentialId: `${'A'.repeat(42)}B`, signedId: 'A'.repeat(43) },
      'key-refused',
    ],
    ['with an ID of 15 bytes', { credentialId: 'A'.repeat(20) }, 'key-refused'],
    ['with an ID of 1,024 bytes', { credentialId: Buffer.alloc(1024).toString('base64url') }, 'key-refused'],
    ['with an empty signature', { attestation: 'self', statement: { sig: new Uint8Array() } }, 'key-refused'],
    ['without the algorithm of its signature', { attestation: 'self', statement: { alg: 0 } }, 'key-refused'],
    ['with a statement that is not empty but should be', { statement: { x5c: null } }, 'key-refused'],
    [
      'from a frame, by a browser that names only the site around it',
      { topOrigin: 'https://evil.example' },
      'key-refused',
    ],
    ['from a frame in a site without a name', { topOrigin: '' }, 'key-refused'],
    ['with a bad attestation signature', { attestation: 'self', badSignature: true }, 'key-refused'],
    ['with a challenge that was never issued', { challenge: 'A'.repeat(43) }, 'challenge-used'],
  ];
  for (const [name, how, problem] of wrong) {
    test(name, async () => {
      const email = newEmail();
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
      const key = new SoftKey(server.origin);
      await expectProblem(await enrolment.register(key, how), 403, problem);
      expect(await countPeople(server, email)).toBe(0);
      // That does not use up the invitation.
      await jsonOf(await enrolment.register(key));
    });
  }

  test('but not with an ID of 1,023 bytes, nor with one of 16', async () => {
    for (const length of [16, 1023]) {
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
      const credentialId = randomBytes(length).toString('base64url');
      await jsonOf(await enrolment.register(new SoftKey(server.origin), { credentialId }));
    }
  });

  test('with a certificate’s signature over something else', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
    const attestation = await makeCertificate();
    const response = await enrolment.register(new SoftKey(server.origin), { attestation, badSignature: true });
    await expectProblem(response, 403, 'key-refused');
  });

  test('of a passkey that can be copied to other devices', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
    const key = new SoftKey(server.origin);
    const answer = key.create(await enrolment.options(), { backupEligible: true });
    await expectProblem(await enrolment.post('verify', answer), 403, 'key-refused');
  });

  test('with an algorithm that was not offered', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
    const response = await enrolment.register(new SoftKey(server.origin, { curve: 'P-384' }));
    await expectProblem(response, 403, 'key-refused');
  });

  test('with a challenge used before, old, of another enrolment, or of a sign-in', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
    const key = new SoftKey(server.origin);
    const options = await enrolment.options();
    await expectProblem(await enrolment.post('verify', key.create(options, { rpId: 'x' })), 403, 'key-refused');
    await expectProblem(await enrolment.post('verify', key.create(options)), 403, 'challenge-used');

    const other = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
    const { challenge } = await other.options();
    await expectProblem(await enrolment.register(key, { challenge }), 403, 'challenge-used');

    const page = await (await SignIn.open(server.origin)).options();
    await expectProblem(await enrolment.register(key, { challenge: page.challenge }), 403, 'challenge-used');

    const old = await enrolment.options();
    moveClock(server, 5 * 60_000);
    await expectProblem(await enrolment.post('verify', key.create(old)), 403, 'challenge-used');
  });

  test('with a credential ID that another person has, or the same person', async () => {
    const { email, key } = await enrolPerson(server);
    const stranger = newEmail();
    const theirs = await Enrolment.open(server.origin, await inviteCode(server, stranger));
    const response = await theirs.register(new SoftKey(server.origin), { credentialId: key.id });
    await expectProblem(response, 403, 'key-refused', { reason: 'already-enrolled' });
    expect(await countPeople(server, stranger)).toBe(0);

    const again = await Enrolment.open(server.origin, await inviteCode(server, email));
    await again.confirm(key);
    expect((await again.options()).excludeCredentials).toMatchObject([{ id: key.id, transports: ['usb'] }]);
    // That is good news.
    await expectProblem(await again.register(key), 409, 'already-enrolled');
    await signIn(server.origin, key);
  });

  test('but not for nonsense as its transports, which are left out', async () => {
    for (const transports of ['usb', 7, { length: 1 }, [['usb'], null, 'USB', 'x'.repeat(30), 'nfc']]) {
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
      const key = new SoftKey(server.origin);
      const answer = key.create(await enrolment.options());
      await jsonOf(await enrolment.post('verify', { ...answer, response: { ...answer.response, transports } }));
      const row = await server.context.store.selectFrom('keys').where('id', '=', key.id).select('transports').execute();
      expect(row[0]?.transports).toBe(Array.isArray(transports) ? '["nfc"]' : '[]');
    }
  });

  const bodies: [string, unknown][] = [
    ['an empty object', {}],
    ['no response', { id: 'a', rawId: 'a', type: 'public-key' }],
    ['a list as response', { id: 'a', rawId: 'a', type: 'public-key', response: [] }],
    ['numbers', { id: 'a', rawId: 'a', type: 'public-key', response: { clientDataJSON: 7, attestationObject: 7 } }],
    ['two IDs', { id: 'a', rawId: 'b', type: 'public-key', response: {} }],
    ['a long ID', { id: 'a'.repeat(1401), rawId: 'a'.repeat(1401), type: 'public-key', response: {} }],
    ['another type', { id: 'a', rawId: 'a', type: 'password', response: {} }],
  ];
  for (const [name, body] of bodies) {
    test(`with ${name}`, async () => {
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
      const response = await enrolment.post('verify', body);
      expect([400, 403]).toContain(response.status);
      const page = await SignIn.open(server.origin);
      expect([400, 403]).toContain((await page.post('verify', body)).status);
    });
  }

  test('with hostile clientData and attestation, never with an internal error', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
    const page = await SignIn.open(server.origin);
    const { key } = await enrolPerson(server);
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const { challenge } = await enrolment.options();
    const clientData = { type: 'webauthn.create', challenge, origin: server.origin };
    const answers: [unknown, unknown][] = [
      [encode(null), ''],
      [encode([]), ''],
      [encode('text'), ''],
      [encode({ ...clientData, challenge: { toString: 1 } }), ''],
      [encode(clientData), ''],
      [encode({ ...clientData, challenge: (await enrolment.options()).challenge }), 7],
      [encode({ ...clientData, challenge: (await enrolment.options()).challenge }), 'AAAA'],
      // CBOR: a text of 2^32 bytes, a map that is cut off, nested lists.
      [encode({ ...clientData, challenge: (await enrolment.options()).challenge }), 'ev____8'],
      [encode({ ...clientData, challenge: (await enrolment.options()).challenge }), 'o2NmbXQ'],
      [
        encode({ ...clientData, challenge: (await enrolment.options()).challenge }),
        Buffer.alloc(9_000, 0x81).toString('base64url'),
      ],
    ];
    for (const [clientDataJSON, rest] of answers) {
      const response = {
        clientDataJSON,
        attestationObject: rest,
        authenticatorData: rest,
        signature: rest,
        userHandle: rest,
      };
      const body = { id: key.id, rawId: key.id, type: 'public-key', response };
      expect((await enrolment.post('verify', body)).status).toBe(403);
      expect((await page.post('verify', body)).status).toBe(403);
    }
  });
});

describe('the administrator’s policy', () => {
  const yubikey = '2fc0579f-8113-47ea-b116-bb5a8db9202a';

  async function withServer(settings: Record<string, string>, check: (strict: TestServer) => Promise<void>) {
    const strict = await startServer(settings);
    try {
      await check(strict);
    } finally {
      await strict.close();
    }
  }

  test('VOUCH_ALLOWED_AAGUIDS refuses every other model', () =>
    withServer({ VOUCH_ALLOWED_AAGUIDS: yubikey.toUpperCase() }, async (strict) => {
      const enrolment = await Enrolment.open(strict.origin, await inviteCode(strict, newEmail()));
      await expectProblem(await enrolment.register(new SoftKey(strict.origin)), 403, 'key-refused');
      const allowed = new SoftKey(strict.origin, { aaguid: yubikey });
      expect(await jsonOf(await enrolment.register(allowed))).toMatchObject({
        key: { name: 'YubiKey 5 NFC', model: 'YubiKey 5 NFC' },
      });
    }));

  test('VOUCH_REQUIRE_ATTESTATION_CERT and VOUCH_ATTESTATION_ROOTS refuse keys that do not prove their model', async () => {
    const maker = await makeMaker();
    const roots = join(folder, 'roots.pem');
    writeFileSync(roots, pem(maker.root));
    const settings = { VOUCH_REQUIRE_ATTESTATION_CERT: 'true', VOUCH_ATTESTATION_ROOTS: roots };
    await withServer(settings, async (strict) => {
      const enrolment = await Enrolment.open(strict.origin, await inviteCode(strict, newEmail()));
      const register = (how: Ceremony) => enrolment.register(new SoftKey(strict.origin, { aaguid: yubikey }), how);
      const model = 'YubiKey 5 NFC';
      for (const attestation of ['none', 'self'] as const) {
        await expectProblem(await register({ attestation }), 403, 'key-refused', { reason: 'not-proven', model });
      }
      const stranger = await (await makeMaker()).attest(yubikey);
      const untrusted = { reason: 'chain-untrusted', model };
      await expectProblem(await register({ attestation: stranger }), 403, 'key-refused', untrusted);
      await jsonOf(await register({ attestation: await maker.attest(yubikey) }));
    });
  });
});
