import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readMetadata } from '../../../server/fido-metadata/metadata.ts';
import type { KeyPolicy } from '../../../server/key-policy/judge.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { AccountPage } from '../account/account-page.ts';
import { type Maker, makeMaker } from '../make-certificates.ts';
import { type BlobSigner, makeBlobSigner, modelEntry, payloadOf, trustForMetadata } from '../metadata-blob.ts';
import { type Ceremony, SoftKey } from '../soft-key.ts';
import {
  Enrolment,
  expectProblem,
  inviteCode,
  jsonOf,
  newEmail,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';

const MODEL = '2fc0579f-8113-47ea-b116-bb5a8db9202a';

const folder = temporaryFolder();
let signer: BlobSigner;
let maker: Maker;
beforeAll(async () => {
  signer = await makeBlobSigner();
  trustForMetadata(signer);
  maker = await makeMaker();
});

let server: TestServer;
afterEach(() => server.close());

const entry = (statusReports: Record<string, unknown>[] = []) =>
  modelEntry({ aaguid: MODEL, roots: [maker.root], statusReports });

const certified = { status: 'FIDO_CERTIFIED_L1', effectiveDate: '2024-01-01' };
const compromised = { status: 'USER_KEY_PHYSICAL_COMPROMISE', effectiveDate: '2025-01-01' };
const warning = {
  reason: 'model-compromised',
  compromise: 'USER_KEY_PHYSICAL_COMPROMISE',
  model: 'Test Key 3000',
};

/** Enrols a key that proves its model. */
async function enrol(email = newEmail(), how: Ceremony = {}): Promise<{ email: string; key: SoftKey }> {
  const key = new SoftKey(server.origin, { aaguid: MODEL });
  const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
  await jsonOf(await enrolment.register(key, { attestation: await maker.attest(MODEL), ...how }));
  return { email, key };
}

/** Sets the rules on keys from now on. */
function rule(policy: Partial<KeyPolicy>): void {
  server.context.keyPolicy = () => ({
    allowed: undefined,
    mustProve: false,
    minLevel: undefined,
    roots: [],
    metadata: undefined,
    ...policy,
  });
}

test('a model that FIDO’s metadata marks as compromised stops at the next sign-in and at enrolment, without a restart', async () => {
  const file = join(folder, 'blob.jwt');
  writeFileSync(file, signer.sign(payloadOf({ no: 1, entries: [entry([certified])] })));
  server = await startServer({ VOUCH_FIDO_METADATA: file, VOUCH_REQUIRE_ATTESTATION_CERT: 'true' });
  const { key } = await enrol();
  await signIn(server.origin, key);

  writeFileSync(file, signer.sign(payloadOf({ no: 2, entries: [entry([certified, compromised])] })));
  await server.everyMinute();
  await expectProblem(await (await SignIn.open(server.origin)).touch(key), 403, 'key-refused', warning);
  const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
  const another = await enrolment.register(new SoftKey(server.origin, { aaguid: MODEL }), {
    attestation: await maker.attest(MODEL),
  });
  await expectProblem(another, 403, 'key-refused', warning);

  // An older edition, from before the compromise, does not bring it back.
  writeFileSync(file, signer.sign(payloadOf({ no: 1, entries: [entry([certified])] })));
  await server.everyMinute();
  await expectProblem(await (await SignIn.open(server.origin)).touch(key), 403, 'key-refused', warning);
});

test('a server whose settings lock out every owner does not start, and its database stays as it is', async () => {
  const database = { VOUCH_DATABASE_URL: `sqlite:${join(folder, 'owners.db')}` };
  server = await startServer(database);
  const { email } = await enrol();
  await server.context.store.updateTable('people').set({ role: 'owner' }).execute();
  const issuer = { VOUCH_ISSUER: server.origin };
  await server.close();

  const locking = { ...database, ...issuer, VOUCH_ALLOWED_AAGUIDS: '00000000-0000-0000-0000-00000000000b' };
  await expect(startServer(locking)).rejects.toMatchObject({
    kind: 'policy-refused',
    what: expect.stringContaining(`${email} (model-not-allowed)`),
  });
  server = await startServer({ ...database, ...issuer, VOUCH_ALLOWED_AAGUIDS: MODEL });
});

describe('a key that no longer counts', () => {
  test('is refused at every touch, and the refusal is counted with its reason', async () => {
    server = await startServer();
    const { email, key } = await enrol();
    const account = await AccountPage.signIn(server.origin, key);
    const further = await Enrolment.open(server.origin, await inviteCode(server, email));

    rule({ metadata: readMetadata(payloadOf({ entries: [entry([compromised])] })) });
    await expectProblem(await (await SignIn.open(server.origin)).touch(key), 403, 'key-refused', warning);
    await expectProblem(await new AccountPage(server.origin).touchToSignIn(key), 403, 'key-refused', warning);
    await expectProblem(await account.touch(key), 403, 'key-refused', warning);
    await expectProblem(await further.confirm(key), 403, 'key-refused', warning);
    const windows = await server.context.store
      .selectFrom('audit_windows')
      .where('problem', '=', 'key-refused')
      .select(['event', 'email', 'count'])
      .orderBy('event')
      .execute();
    expect(windows).toEqual([
      { event: 'enrolment-refused', email, count: 1 },
      { event: 'sign-in-refused', email, count: 3 },
    ]);

    rule({});
    await signIn(server.origin, key);
  });

  test('says why, and what to do: in words and as data', async () => {
    server = await startServer();
    const { key } = await enrol();
    const bare = await enrol(newEmail(), { attestation: 'none' });
    const metadata = readMetadata(payloadOf({ entries: [entry([certified])] }));
    const model = 'Test Key 3000';
    const known = 'YubiKey 5 NFC';
    const cases: [SoftKey, Partial<KeyPolicy>, Record<string, string>, RegExp][] = [
      [key, { allowed: new Set() }, { reason: 'model-not-allowed', model: known }, /YubiKey 5 NFC\./],
      [bare.key, { mustProve: true, metadata }, { reason: 'not-proven', model }, /only keys count that do/],
      [
        key,
        { mustProve: true, metadata: readMetadata(payloadOf()) },
        { reason: 'model-unknown', model: known },
        /nothing can prove/,
      ],
      [
        key,
        { mustProve: true, metadata: readMetadata(payloadOf({ entries: [modelEntry({ aaguid: MODEL })] })) },
        { reason: 'chain-untrusted', model },
        /not come from a maker/,
      ],
      [
        key,
        { minLevel: 'L2', metadata },
        { reason: 'level-too-low', model, level: 'L1', least: 'L2' },
        /level L2, and Test Key 3000 has L1\./,
      ],
    ];
    for (const [used, policy, members, words] of cases) {
      rule(policy);
      const response = await (await SignIn.open(server.origin)).touch(used);
      const { detail } = (await response.clone().json()) as { detail: string };
      expect(detail).toMatch(words);
      expect(detail).toMatch(
        / Use another key of yours\. If you have none, ask your administrator to let you replace this one\.$/,
      );
      await expectProblem(response, 403, 'key-refused', members);
    }
    rule({ mustProve: true, minLevel: 'L1', allowed: new Set([MODEL]), metadata });
    await signIn(server.origin, key);
  });
});
