import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { addMasterKey } from '../../../server/commands/master-key.ts';
import { readConfig } from '../../../server/config/config.ts';
import { DatabaseKeyRing } from '../../../server/signing/key-ring.ts';
import { makeKey, newRow, storeFirst } from '../../../server/signing/key-rows.ts';
import { masterKey } from '../../../server/signing/master-key.ts';
import { canUnseal } from '../../../server/signing/sealed-jwk.ts';
import { signJwt } from '../../../server/signing/sign-jwt.ts';
import { chooseEngine } from '../../../server/store/choose-engine.ts';
import { openForServing } from '../../../server/store/open-for-issuer.ts';
import type { Store } from '../../../server/store/store.ts';
import { type LocalKms, startLocalKms } from '../../aws/kms/start.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { newDatabaseUrl } from '../engines.ts';
import { useLocalKms } from '../kms/use-local-kms.ts';
import { MASTER_KEY } from '../settings.ts';
import { commandsOf } from './run-command.ts';

const OLD = Buffer.from(MASTER_KEY, 'base64');
const ISSUER = 'https://vouch.example.com';

const folder = temporaryFolder();
let serial = 0;
/** A file that only its owner can read. */
function fileWith(content: string, mode = 0o600): string {
  serial += 1;
  const file = join(folder, String(serial));
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}
const newKey = () => randomBytes(32);
const clocks = { now: Date.now, elapsed: () => performance.now() };

/** A database with a current key and a next one, and the command for it. */
async function prepare(settings: Record<string, string> = { VOUCH_MASTER_KEY: MASTER_KEY }) {
  const all = { VOUCH_ISSUER: ISSUER, VOUCH_DATABASE_URL: await newDatabaseUrl(), ...settings };
  const store = await openForServing(chooseEngine(all.VOUCH_DATABASE_URL), ISSUER, Date.now());
  onTestFinished(() => store.destroy());
  await storeFirst(store, await makeKey(OLD), 1);
  await store
    .insertInto('signing_keys')
    .values(newRow(await makeKey(OLD), 'next', 2))
    .execute();
  return { store, run: commandsOf(all, addMasterKey) };
}

const rowsOf = (store: Store) => store.selectFrom('signing_keys').selectAll().orderBy('kid').execute();

/** Which of the keys a master key opens. */
async function opens(store: Store, master: Buffer): Promise<boolean[]> {
  return Promise.all((await rowsOf(store)).map(({ kid, jwe }) => canUnseal(kid, jwe, master)));
}

describe('master-key rewrap', () => {
  test('encrypts every key under the new master key, and changes nothing else', async () => {
    const { store, run } = await prepare();
    const before = await rowsOf(store);
    const running = await DatabaseKeyRing.open(store, OLD, clocks);
    const key = newKey();
    const { code, stdout, stderr } = await run(
      'master-key',
      'rewrap',
      '--new-key-file',
      fileWith(key.toString('base64')),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Encrypted 2 signing keys under the new master key\.\nGive all servers the new one/);
    expect(await opens(store, key)).toEqual([true, true]);
    expect(await opens(store, OLD)).toEqual([false, false]);
    const withoutJwe = ({ jwe: _, ...row }: (typeof before)[0]) => row;
    expect((await rowsOf(store)).map(withoutJwe)).toEqual(before.map(withoutJwe));
    const restarted = await DatabaseKeyRing.open(store, key, clocks);
    expect(restarted.published()).toEqual(running.published());
    // A server that has the old one goes on until it is restarted.
    await running.refresh();
    await signJwt(running.current(), {});
    const rows = await store.selectFrom('audit').select(['event', 'actor', 'detail']).execute();
    expect(rows).toMatchObject([{ event: 'master-key-changed', detail: '{"keys":2}' }]);
    await expect(DatabaseKeyRing.open(store, OLD, clocks)).rejects.toMatchObject({ kind: 'signing-key-locked' });
  });

  test('says so when it was done before, and does nothing', async () => {
    const { store, run } = await prepare();
    const file = fileWith(newKey().toString('base64'));
    expect(JSON.parse((await run('master-key', 'rewrap', '--new-key-file', file, '--json')).stdout)).toEqual({
      keys: 2,
      changed: true,
    });
    const before = await rowsOf(store);
    expect(JSON.parse((await run('master-key', 'rewrap', '--new-key-file', file, '--json')).stdout)).toEqual({
      keys: 2,
      changed: false,
    });
    expect(await rowsOf(store)).toEqual(before);
    expect(await store.selectFrom('audit').select('id').execute()).toHaveLength(1);
  });

  test('changes nothing when one key cannot be opened', async () => {
    const { store, run } = await prepare();
    const [first, second] = await rowsOf(store);
    await store
      .updateTable('signing_keys')
      .set({ jwe: first?.jwe ?? '' })
      .where('kid', '=', second?.kid ?? '')
      .execute();
    const before = await rowsOf(store);
    const { code, stderr } = await run('master-key', 'rewrap', '--new-key-file', fileWith(newKey().toString('base64')));
    expect(code).toBe(1);
    expect(stderr).toContain('VOUCH_MASTER_KEY is not the one it was made with');
    expect(await rowsOf(store)).toEqual(before);
    expect(await store.selectFrom('audit').select('id').execute()).toEqual([]);
  });

  test.each([
    ['the same key', () => fileWith(MASTER_KEY), /is the one that the settings have/],
    [
      'a file that others can read',
      () => fileWith(newKey().toString('base64'), 0o640),
      /^vouch-server: --new-key-file .*its mode is 0640/,
    ],
    ['a file that is not there', () => join(folder, 'nowhere'), /--new-key-file .*\(ENOENT\)/],
    ['no random bytes', () => fileWith(Buffer.alloc(32).toString('base64')), /The key in .*the same bytes/],
    ['something else', () => fileWith('secret'), /The key in .*32 random bytes/],
    ['half of a wrapped key', () => fileWith('awskms:arn:aws:kms:eu-central-1:123456789012:key/'), /master-key wrap/],
  ])('refuses %s', async (_, file, said) => {
    const { store, run } = await prepare();
    const before = await rowsOf(store);
    const { code, stderr } = await run('master-key', 'rewrap', '--new-key-file', file());
    expect(code).toBe(2);
    expect(stderr).toMatch(said);
    expect(stderr).not.toContain('secret');
    expect(await rowsOf(store)).toEqual(before);
  });

  test('tells a wrong present key from a missing one', async () => {
    const file = fileWith(newKey().toString('base64'));
    const wrong = await (await prepare({ VOUCH_MASTER_KEY: newKey().toString('base64') })).run(
      'master-key',
      'rewrap',
      '--new-key-file',
      file,
    );
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('is not the one it was made with')]);
    vi.unstubAllEnvs();
    const missing = await (await prepare({})).run('master-key', 'rewrap', '--new-key-file', file);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('VOUCH_MASTER_KEY is not set')]);
  });
});

describe('with AWS KMS', () => {
  let kms: LocalKms;
  beforeAll(async () => {
    kms = await startLocalKms();
  });
  afterAll(() => kms.close());

  /** The command, with a KMS that this process can find. */
  function useKms(settings: Record<string, string> = { VOUCH_ISSUER: ISSUER }) {
    const run = commandsOf(settings, addMasterKey);
    useLocalKms(kms);
    return run;
  }
  const configured = (value: string, issuer = ISSUER) => readConfig({ VOUCH_ISSUER: issuer, VOUCH_MASTER_KEY: value });
  const unwrap = async (value: string, issuer = ISSUER) => {
    const { masterKey: key, database } = configured(value, issuer);
    return masterKey(key, database, true);
  };

  test('master-key wrap makes a new key that only KMS opens, for this issuer', async () => {
    const run = useKms();
    const key = kms.createKey({ spec: 'SYMMETRIC_DEFAULT' });
    const { code, stdout } = await run('master-key', 'wrap', '--kms-key', kms.alias('vouch-master', key));
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^awskms:${key.arn}:[\\w+/]+={0,2}\n$`));
    const master = await unwrap(stdout.trim());
    expect(master).toHaveLength(32);
    expect(await unwrap(stdout.trim())).toEqual(master);
    expect(await unwrap((await run('master-key', 'wrap', '--kms-key', key.arn)).stdout)).not.toEqual(master);
    expect(stdout).not.toContain(master.toString('base64'));
    await expect(unwrap(stdout.trim(), 'https://other.example.com')).rejects.toMatchObject({
      kind: 'kms-refused',
      message: expect.stringContaining('for another issuer'),
    });
  });

  test('master-key wrap wraps the key in a file, and rewrap takes a wrapped one', async () => {
    const { store, run } = await prepare();
    useLocalKms(kms);
    const key = kms.createKey({ spec: 'SYMMETRIC_DEFAULT' });
    const same = (await run('master-key', 'wrap', '--kms-key', key.arn, '--key-file', fileWith(MASTER_KEY))).stdout;
    expect(await unwrap(same)).toEqual(OLD);
    const json = (await run('master-key', 'wrap', '--kms-key', key.arn, '--json')).stdout;
    expect(JSON.parse(json)).toEqual({ wrapped: expect.stringMatching(/^awskms:/), kmsKey: key.arn, isNew: true });
    const { wrapped } = JSON.parse(json);
    const { code } = await run('master-key', 'rewrap', '--new-key-file', fileWith(wrapped));
    expect(code).toBe(0);
    expect(await opens(store, await unwrap(wrapped))).toEqual([true, true]);
    vi.stubEnv('VOUCH_MASTER_KEY', wrapped);
    expect((await run('master-key', 'rewrap', '--new-key-file', fileWith(MASTER_KEY))).code).toBe(0);
    expect(await opens(store, OLD)).toEqual([true, true]);
  });

  test('says what is wrong when KMS does not open it', async () => {
    const run = useKms();
    const key = kms.createKey({ spec: 'SYMMETRIC_DEFAULT' });
    const wrapped = (await run('master-key', 'wrap', '--kms-key', key.arn)).stdout.trim();
    const other = kms.createKey({ spec: 'SYMMETRIC_DEFAULT' });
    await expect(unwrap(wrapped.replace(key.arn, other.arn))).rejects.toThrow(/Wrap the master key again/);
    key.state = 'Disabled';
    await expect(unwrap(wrapped)).rejects.toThrow(/is disabled/);
    key.state = 'Enabled';
    kms.allow({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'kms:Encrypt', Resource: '*' } });
    onTestFinished(() =>
      kms.allow({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }),
    );
    await expect(unwrap(wrapped)).rejects.toThrow(/Allow the server's role kms:Decrypt on this key/);
    kms.fault = { kind: 'refuse' };
    onTestFinished(() => {
      kms.fault = undefined;
    });
    await expect(unwrap(wrapped)).rejects.toMatchObject({ kind: 'kms-unreachable' });
    expect((await run('master-key', 'wrap', '--kms-key', key.arn)).stderr).toMatch(
      /^vouch-server: AWS KMS does not answer/,
    );
  });

  test('what was wrapped must be a master key', async () => {
    useKms();
    const key = kms.createKey({ spec: 'SYMMETRIC_DEFAULT' });
    const context = { 'vouch:issuer': ISSUER, 'vouch:purpose': 'master key' };
    const wrap = (bytes: Buffer) => `awskms:${key.arn}:${key.encrypt(bytes, context).toString('base64')}`;
    await expect(unwrap(wrap(randomBytes(31)))).rejects.toMatchObject({ kind: 'setting-refused' });
    await expect(unwrap(wrap(Buffer.alloc(32)))).rejects.toThrow(/VOUCH_MASTER_KEY .*the same bytes/);
    const good = randomBytes(32);
    expect(await unwrap(wrap(good))).toEqual(good);
  });

  test.each([
    'awskms:',
    'awskms:alias/vouch:AAAA',
    `awskms:arn:aws:kms:eu-central-1:123456789012:alias/vouch:${'A'.repeat(64)}`,
    `awskms:arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0123-4567-89ab-0123456789ab:${'!'.repeat(64)}`,
    'awskms:arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0123-4567-89ab-0123456789ab',
  ])('VOUCH_MASTER_KEY=%s is refused', (value) => {
    expect(() => configured(value)).toThrow(/^VOUCH_MASTER_KEY is "\(awskms:…\)"; it should be awskms: with the ARN/);
  });

  test('--kms-key must be a full ARN', async () => {
    const { code, stderr } = await useKms()('master-key', 'wrap', '--kms-key', 'alias/vouch');
    expect([code, stderr]).toEqual([2, expect.stringContaining('"alias/vouch" is not the full ARN of a KMS key')]);
  });
});
