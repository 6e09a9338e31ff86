import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { trimAudit } from '../../../server/audit/retention.ts';
import { DatabaseKeyRing } from '../../../server/signing/key-ring.ts';
import { makeKey, storeFirst } from '../../../server/signing/key-rows.ts';
import { openForServing } from '../../../server/store/open-for-issuer.ts';
import { SqliteEngine } from '../../../server/store/sqlite/engine.ts';
import type { Store } from '../../../server/store/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { tamper } from '../audit/tampering.ts';
import { startProgram, vouchServer } from '../program.ts';
import { addAudit, emptyAudit } from '../rows.ts';
import { HTTPS, localSettings, MASTER_KEY, newDatabase } from '../settings.ts';

const folder = temporaryFolder();

const ringOf = (store: Store) =>
  DatabaseKeyRing.open(store, Buffer.from(MASTER_KEY, 'base64'), { now: Date.now, elapsed: () => performance.now() });

test('vouch-server audit verify proves while the server runs that the trail is whole, and names what is wrong', async () => {
  const database = newDatabase();
  const settings = await localSettings(database);
  await startProgram(settings);
  for (const email of ['alice@example.com', 'bob@example.com']) await vouchServer(['invite', email], settings);
  const whole = await vouchServer(['audit', 'verify'], settings);
  expect(whole).toMatchObject({ code: 0, stderr: '' });
  expect(whole.stdout).toMatch(/^The audit trail is whole: \d rows, from 1 to \d\n {2}Last hash {4}[\w-]{43}\n$/);
  const json = await vouchServer(['audit', 'verify', '--json'], settings);
  expect(JSON.parse(json.stdout)).toEqual({
    whole: true,
    rows: expect.any(Number),
    base: { id: 0, hash: '' },
    head: { id: expect.any(Number), hash: expect.any(String) },
  });
  await tamper(`sqlite:${database}`, `update audit set subject = 'eve@example.com' where id = 2`);
  const broken = await vouchServer(['audit', 'verify', '--json'], settings);
  expect(broken.code).toBe(1);
  expect(JSON.parse(broken.stdout)).toMatchObject({ whole: false, fault: { kind: 'changed', id: 2 } });
  expect(broken.stderr).toMatch(/^vouch-server: Row 2 of the audit trail was changed: /);
});

describe('vouch-server audit checkpoint', () => {
  const database = join(folder, 'vouch.db');
  const settings = { ...HTTPS, VOUCH_DATABASE_URL: `sqlite:${database}` };
  const file = join(folder, 'checkpoint');
  beforeAll(async () => {
    const store = await openForServing(new SqliteEngine(database), HTTPS.VOUCH_ISSUER, 1);
    await storeFirst(store, await makeKey(Buffer.from(MASTER_KEY, 'base64')), 1);
    await addAudit(store, 1, ...Array.from({ length: 5 }, () => ({ event: 'signed-in' as const, actor: 'a' })));
    await store.destroy();
    const { code, stdout, stderr } = await vouchServer(['audit', 'checkpoint'], settings);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    writeFileSync(file, stdout);
  });

  test('prints what verify compares the trail with, from a file or its input', async () => {
    const compared = await vouchServer(['audit', 'verify', '--checkpoint', file], settings);
    expect(compared).toMatchObject({ code: 0, stderr: '' });
    expect(compared.stdout).toContain('\n  Checkpoint   row 5 is unchanged (signed on ');
    const { stdout: asJson } = await vouchServer(['audit', 'checkpoint', '--json'], settings);
    expect(JSON.parse(asJson)).toEqual({
      id: 5,
      hash: expect.any(String),
      at: '1970-01-01T00:00:00.001Z',
      issuedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      kid: expect.any(String),
      checkpoint: expect.any(String),
    });
    const input = await vouchServer(['audit', 'verify', '--checkpoint', '-', '--json'], settings, asJson);
    expect(JSON.parse(input.stdout)).toMatchObject({ whole: true, checkpoint: { id: 5, found: 'present' } });
  });

  test('warns if the key was revoked that signed it, or the deletion of its rows', async () => {
    const copy = newDatabase();
    writeFileSync(copy, readFileSync(database));
    const there = { ...settings, VOUCH_DATABASE_URL: `sqlite:${copy}` };
    const store = await openForServing(new SqliteEngine(copy), HTTPS.VOUCH_ISSUER, 1);
    const signer = { issuer: HTTPS.VOUCH_ISSUER, signingKey: (await ringOf(store)).current() };
    const day = 24 * 3600_000;
    await trimAudit(store, signer, 7, 8 * day);
    const json = async () =>
      JSON.parse((await vouchServer(['audit', 'verify', '--checkpoint', file, '--json'], there)).stdout);
    const unmarked = { keyRevokedAt: null, deletionKeyRevokedAt: null };
    // The last row that is deleted is the chain's base, so that an earlier checkpoint is needed to find a deleted one.
    await addAudit(store, 9 * day, { event: 'signed-in', actor: 'a' });
    await trimAudit(store, signer, 7, 20 * day);
    expect((await json()).checkpoint).toMatchObject({ found: 'deleted', ...unmarked });
    await store
      .updateTable('signing_keys')
      .set({ state: 'gone', revoked_at: 30 * day })
      .execute();
    await store.destroy();
    const marked = { keyRevokedAt: '1970-01-31T00:00:00.000Z', deletionKeyRevokedAt: '1970-01-31T00:00:00.000Z' };
    expect(await json()).toMatchObject({ whole: true, checkpoint: marked });
    const { code, stdout } = await vouchServer(['audit', 'verify', '--checkpoint', file], there);
    expect(code).toBe(0);
    for (const whose of ["checkpoint's", "deletion's"]) {
      expect(stdout).toMatch(new RegExp(`\\n {2}Warning {6}the ${whose} key was revoked on .* 1970`));
    }
  });

  test('shows that rows were cut off with whatever told of them', async () => {
    const cut = newDatabase();
    writeFileSync(cut, readFileSync(database));
    await tamper(
      `sqlite:${cut}`,
      'delete from audit where id = 5',
      'update audit_head set last_id = 4, last_hash = (select hash from audit where id = 4)',
    );
    const there = { ...settings, VOUCH_DATABASE_URL: `sqlite:${cut}` };
    expect((await vouchServer(['audit', 'verify'], there)).code).toBe(0);
    const compared = await vouchServer(['audit', 'verify', '--checkpoint', file, '--json'], there);
    expect(compared.code).toBe(1);
    expect(compared.stderr).toContain("The audit trail never had the checkpoint's row 5");
    expect(JSON.parse(compared.stdout)).toMatchObject({ whole: false, checkpoint: { found: 'never' } });
  });

  test('shows that somebody deleted rows in the server’s name', async () => {
    const trimmed = newDatabase();
    writeFileSync(trimmed, readFileSync(database));
    const there = { ...settings, VOUCH_DATABASE_URL: `sqlite:${trimmed}` };
    const store = await openForServing(new SqliteEngine(trimmed), HTTPS.VOUCH_ISSUER, 1);
    await emptyAudit(store);
    const base = await store.selectFrom('audit_head').selectAll().executeTakeFirstOrThrow();
    const signed = readFileSync(file, 'utf8').trim();
    const detail = { fromId: 1, toId: base.base_id, hash: base.base_hash, signed };
    await addAudit(store, 1, { event: 'audit-trimmed', actor: 'server', detail });
    await store.destroy();
    expect((await vouchServer(['audit', 'verify'], there)).code).toBe(0);
    const compared = await vouchServer(['audit', 'verify', '--checkpoint', file, '--json'], there);
    expect(compared.code).toBe(1);
    expect(compared.stderr).toContain('rows 1 to 5 were deleted, and this server has not signed that');
    expect(JSON.parse(compared.stdout)).toMatchObject({ whole: false, checkpoint: { found: 'deletion-unsigned' } });
  });

  test('is not found in a file that holds none', async () => {
    const [no, large] = [join(folder, 'no'), join(folder, 'large')];
    writeFileSync(no, '{"checkpoint":7}');
    writeFileSync(large, 'x'.repeat(100_000));
    for (const wrong of [no, large]) {
      const refused = await vouchServer(['audit', 'verify', '--checkpoint', wrong], settings);
      expect([refused.code, refused.stdout]).toEqual([1, '']);
      expect(refused.stderr).toMatch(/^vouch-server: This is not a checkpoint that this server has signed\.\n/);
    }
    const missing = await vouchServer(['audit', 'verify', '--checkpoint', join(folder, 'missing')], settings);
    expect([missing.code, missing.stdout]).toEqual([2, '']);
    expect(missing.stderr).toMatch(/^vouch-server: --checkpoint ".*" cannot be read: ENOENT/);
  });

  test.each([[['checkpoint']], [['verify', '--checkpoint', file]]])(
    '%j needs the master key, and says so',
    async (args) => {
      const { VOUCH_MASTER_KEY: _, ...without } = settings;
      const refused = await vouchServer(['audit', ...args], without);
      expect([refused.code, refused.stdout]).toEqual([2, '']);
      expect(refused.stderr).toMatch(/^vouch-server: VOUCH_MASTER_KEY is not set; /);
      const wrong = Buffer.from(MASTER_KEY, 'base64').reverse().toString('base64');
      const locked = await vouchServer(['audit', ...args], { ...without, VOUCH_MASTER_KEY: wrong });
      expect([locked.code, locked.stdout]).toEqual([1, '']);
      expect(locked.stderr).toMatch(/^vouch-server: The signing key in the database cannot be opened/);
      expect((await vouchServer(['audit', 'verify'], without)).code).toBe(0);
    },
  );
});
