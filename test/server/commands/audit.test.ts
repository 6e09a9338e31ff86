import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { tamper } from '../audit/tampering.ts';
import { startProgram, vouchServer } from '../program.ts';
import { HTTPS, localSettings, MASTER_KEY, newDatabase } from '../settings.ts';

const folder = temporaryFolder();

/** A running server with some rows. */
async function running() {
  const database = newDatabase();
  const settings = await localSettings(database);
  await startProgram(settings);
  for (const email of ['alice@example.com', 'bob@example.com']) await vouchServer(['invite', email], settings);
  return { database, settings };
}

describe('vouch-server audit verify', () => {
  test('proves while the server runs that the trail is whole, and names the first row that is wrong', async () => {
    const { database, settings } = await running();
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
    tamper(database, `update audit set subject = 'eve@example.com' where id = 2`);
    const broken = await vouchServer(['audit', 'verify'], settings);
    expect([broken.code, broken.stdout]).toEqual([1, '']);
    expect(broken.stderr).toMatch(/^vouch-server: Row 2 of the audit trail was changed: /);
    const brokenJson = await vouchServer(['audit', 'verify', '--json'], settings);
    expect(brokenJson.code).toBe(1);
    expect(JSON.parse(brokenJson.stdout)).toMatchObject({ whole: false, fault: { kind: 'changed', id: 2 } });
  });
});

describe('vouch-server audit checkpoint', () => {
  test('prints what verify compares the trail with, from a file or its input', async () => {
    const { database, settings } = await running();
    const [plain, json] = [join(folder, 'plain'), join(folder, 'json')];
    const printed = await vouchServer(['audit', 'checkpoint'], settings);
    expect(printed).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/) });
    writeFileSync(plain, printed.stdout);
    const asJson = await vouchServer(['audit', 'checkpoint', '--json'], settings);
    expect(JSON.parse(asJson.stdout)).toEqual({
      id: expect.any(Number),
      hash: expect.any(String),
      issuedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      kid: expect.any(String),
      checkpoint: expect.any(String),
    });
    writeFileSync(json, asJson.stdout);
    const { id } = JSON.parse(asJson.stdout);
    for (const file of [plain, json]) {
      const compared = await vouchServer(['audit', 'verify', '--checkpoint', file], settings);
      expect(compared).toMatchObject({ code: 0, stderr: '' });
      expect(compared.stdout).toContain(`\n  Checkpoint   row ${id} is unchanged (signed on `);
    }
    const input = await vouchServer(
      ['audit', 'verify', '--checkpoint', '-', '--json'],
      settings,
      readFileSync(json, 'utf8'),
    );
    expect(JSON.parse(input.stdout)).toMatchObject({ whole: true, checkpoint: { id, found: 'present' } });

    // As somebody can who forgets nothing: the last row goes, and the head with it.
    tamper(
      database,
      `delete from audit where id = ${id}`,
      `update audit_head set last_id = ${id - 1}, last_hash = (select hash from audit where id = ${id - 1})`,
    );
    expect((await vouchServer(['audit', 'verify'], settings)).code).toBe(0);
    const cut = await vouchServer(['audit', 'verify', '--checkpoint', plain, '--json'], settings);
    expect(cut.code).toBe(1);
    expect(cut.stderr).toContain(`The audit trail never had the checkpoint's row ${id}`);
    expect(JSON.parse(cut.stdout)).toMatchObject({ whole: false, checkpoint: { found: 'never' } });
  });

  test('says what is wrong with a file that holds no checkpoint', async () => {
    const { settings } = await running();
    const [no, large] = [join(folder, 'no'), join(folder, 'large')];
    writeFileSync(no, '{"checkpoint":7}');
    writeFileSync(large, 'x'.repeat(100_000));
    for (const file of [no, large]) {
      const refused = await vouchServer(['audit', 'verify', '--checkpoint', file], settings);
      expect([refused.code, refused.stdout]).toEqual([1, '']);
      expect(refused.stderr).toMatch(/^vouch-server: This is not a checkpoint that this server has signed\.\n/);
    }
    const missing = await vouchServer(['audit', 'verify', '--checkpoint', join(folder, 'missing')], settings);
    expect([missing.code, missing.stdout]).toEqual([2, '']);
    expect(missing.stderr).toMatch(/^vouch-server: The checkpoint cannot be read: ENOENT/);
  });

  test('needs the master key, and says so', async () => {
    const settings = { ...(await localSettings()), VOUCH_ISSUER: HTTPS.VOUCH_ISSUER, VOUCH_LISTEN: '0' };
    await startProgram({ ...settings, VOUCH_MASTER_KEY: MASTER_KEY });
    const { VOUCH_LISTEN: _, ...without } = settings;
    const checkpoint = await vouchServer(['audit', 'checkpoint'], { ...without, VOUCH_MASTER_KEY: MASTER_KEY });
    expect(checkpoint.code).toBe(0);
    const file = join(folder, 'https');
    writeFileSync(file, checkpoint.stdout);
    for (const args of [['checkpoint'], ['verify', '--checkpoint', file]]) {
      const refused = await vouchServer(['audit', ...args], without);
      expect([refused.code, refused.stdout]).toEqual([2, '']);
      expect(refused.stderr).toMatch(/^vouch-server: VOUCH_MASTER_KEY is not set; /);
      const wrong = { ...without, VOUCH_MASTER_KEY: Buffer.from(MASTER_KEY, 'base64').reverse().toString('base64') };
      const locked = await vouchServer(['audit', ...args], wrong);
      expect([locked.code, locked.stdout]).toEqual([1, '']);
      expect(locked.stderr).toMatch(/^vouch-server: The signing key in the database cannot be opened/);
    }
    expect((await vouchServer(['audit', 'verify'], without)).code).toBe(0);
  });
});
