import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { addKeys } from '../../../server/commands/keys.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { makeBlobSigner, modelEntry, payloadOf, trustForMetadata } from '../metadata-blob.ts';
import { addPerson, ISSUER, newStore } from '../people/store.ts';
import { newDatabase } from '../settings.ts';
import { commandsOf } from './run-command.ts';

const BLUE = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const GREEN = 'c5ef55ff-ad9a-4b9f-b580-adebafe026d0';

const folder = temporaryFolder();
let blob: string;
beforeAll(async () => {
  const signer = await makeBlobSigner();
  trustForMetadata(signer);
  blob = join(folder, 'blob.jwt');
  const statusReports = [{ status: 'USER_VERIFICATION_BYPASS', effectiveDate: '2024-01-01' }];
  writeFileSync(blob, signer.sign(payloadOf({ entries: [modelEntry({ aaguid: GREEN, statusReports })] })));
});

/** Alice, an owner, has a green key; Bob a blue and a green one; Carol a blue one. */
async function team() {
  const file = newDatabase();
  const store = await newStore(`sqlite:${file}`);
  await addPerson(store, 'alice@example.com', 1, { role: 'owner' });
  await addPerson(store, 'bob@example.com', 2);
  await addPerson(store, 'carol@example.com', 1);
  await store.updateTable('keys').set({ aaguid: GREEN }).where('id', 'in', ['alice-1', 'bob-2']).execute();
  await store.updateTable('keys').set({ aaguid: BLUE }).where('id', 'in', ['bob-1', 'carol-1']).execute();
  const run = commandsOf({ VOUCH_ISSUER: ISSUER, VOUCH_DATABASE_URL: `sqlite:${file}` }, addKeys);
  const test = (settings: Record<string, string>, ...options: string[]) => {
    for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
    return run('keys', 'policy', 'test', ...options);
  };
  return { store, test };
}

describe('keys policy test', () => {
  test('says whom the settings would lock out, by name and key, and who has another key left', async () => {
    const { test } = await team();
    const { code, stdout, stderr } = await test({ VOUCH_ALLOWED_AAGUIDS: BLUE });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^Locked out:\n {2}alice@example\.com \(owner\)\n {4}".+", YubiKey 5Ci: this model is not allowed\nWithout a key, but with another one left:\n {2}bob@example\.com\n {4}".+", YubiKey 5Ci: this model is not allowed\n$/,
    );
    expect(stderr).toMatch(/^vouch-server: 1 person of 3 would be locked out\.\n/);
  });

  test('says the same as JSON', async () => {
    const { test } = await team();
    const { code, stdout } = await test({ VOUCH_ALLOWED_AAGUIDS: BLUE }, '--json');
    const refused = (id: string) => [
      { id, name: expect.any(String), model: 'YubiKey 5Ci', reason: 'model-not-allowed' },
    ];
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      {
        fidoMetadata: null,
        people: 3,
        keys: 4,
        refusedKeys: 2,
        lockedOut: ['alice@example.com'],
        affected: [
          { email: 'alice@example.com', role: 'owner', lockedOut: true, keysLeft: 0, refused: refused('alice-1') },
          { email: 'bob@example.com', role: 'member', lockedOut: false, keysLeft: 1, refused: refused('bob-2') },
        ],
      },
    ]);
  });

  test('says that all keys would count, or that only spare keys would not', async () => {
    const { store, test } = await team();
    expect(await test({})).toEqual({ code: 0, stdout: 'All 4 keys of 3 people would count.\n', stderr: '' });
    await store.deleteFrom('keys').where('id', '=', 'alice-1').execute();
    const { code, stdout } = await test({ VOUCH_ALLOWED_AAGUIDS: BLUE });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Without a key.*\n {2}bob@example\.com\n/)]);
    await store.deleteFrom('keys').execute();
    expect(await test({})).toEqual({ code: 0, stdout: 'Nobody has a key yet.\n', stderr: '' });
  });

  test('judges by metadata and proof as the server does', async () => {
    const { test } = await team();
    const compromised = await test({ VOUCH_FIDO_METADATA: blob });
    expect(compromised.stdout).toContain('Test Key 3000: FIDO warns of this model (USER_VERIFICATION_BYPASS)');
    expect(compromised.stdout).toMatch(/\nJudged by edition 1 of FIDO's metadata\.\n$/);
    const unproven = await test({ VOUCH_FIDO_METADATA: blob, VOUCH_REQUIRE_ATTESTATION_CERT: 'true' });
    expect(unproven.stdout).toContain('it has not proved its model: enrol it again');
    expect(unproven.stderr).toMatch(/^vouch-server: 3 people of 3 would be locked out\.\n/);
  });

  test('warns when the file has nothing usable, and takes the edition that the server has', async () => {
    const { test } = await team();
    await test({ VOUCH_FIDO_METADATA: blob });
    const { stdout, stderr } = await test({ VOUCH_FIDO_METADATA: join(folder, 'none') }, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ fidoMetadata: 1, lockedOut: ['alice@example.com'] });
    expect(stderr).toMatch(/FIDO metadata not read: keeping the old/);
  });

  test('refuses settings that the server would refuse', async () => {
    const { test } = await team();
    expect(await test({ VOUCH_MIN_KEY_LEVEL: 'L2' })).toMatchObject({ code: 2, stdout: '' });
    expect(await test({ VOUCH_MIN_KEY_LEVEL: 'L2', VOUCH_FIDO_METADATA: '/none' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/none'),
    });
  });
});
