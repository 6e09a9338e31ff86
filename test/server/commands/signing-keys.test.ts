import { beforeEach, describe, expect, test } from 'vitest';
import { addSigningKeys } from '../../../server/commands/signing-keys.ts';
import { saveFound } from '../../../server/public-documents/found.ts';
import { allRows, findSigningKey, makeKey, newRow, storeFirst } from '../../../server/signing/key-rows.ts';
import { PREVIOUS_MS, PUBLISH_MS } from '../../../server/signing/lifetimes.ts';
import type { Schema } from '../../../server/store/schema.ts';
import type { Store } from '../../../server/store/store.ts';
import { addPerson, auditOf, ISSUER, newStore } from '../people/store.ts';
import { sessionRow } from '../rows.ts';
import { MASTER_KEY, newDatabase } from '../settings.ts';
import { commandsOf } from './run-command.ts';

const MASTER = Buffer.from(MASTER_KEY, 'base64');
const HOUR = 3600_000;
const DAY = 24 * HOUR;

let store: Store;
let file: string;
/** When the first key was made. */
let start: number;
let first: string;
beforeEach(async () => {
  start = Date.now() - 10 * DAY;
  file = newDatabase();
  store = await newStore(`sqlite:${file}`);
  const key = await makeKey(MASTER);
  first = key.kid;
  await storeFirst(store, key, start);
});

const keys = (...args: string[]) => keysWith({}, ...args);
const keysWith = (settings: Record<string, string>, ...args: string[]) =>
  commandsOf(
    { VOUCH_ISSUER: ISSUER, VOUCH_DATABASE_URL: `sqlite:${file}`, VOUCH_MASTER_KEY: MASTER_KEY, ...settings },
    addSigningKeys,
  )('signing-keys', ...args);

/** Adds a key in a state. */
async function addKey(row: Partial<Schema['signing_keys']>): Promise<string> {
  const key = await makeKey(MASTER);
  await store
    .insertInto('signing_keys')
    .values({ ...newRow(key, 'next', start), ...row })
    .execute();
  return key.kid;
}

const statesOf = async () => Object.fromEntries((await allRows(store)).map(({ kid, state }) => [kid, state]));
const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe('vouch-server signing-keys list', () => {
  test('says that a next key waits for the public documents, until they have it', async () => {
    const next = await addKey({ state: 'next' });
    const settings = { VOUCH_AWS_ISSUER: 'https://id.example.com' };
    const waits = `${next.slice(0, 10)} waits until a server has seen it at https://id.example.com: vouch-server publish DIR\n`;
    expect(await keysWith(settings, 'list')).toMatchObject({ code: 0, stderr: waits });
    const found = {
      at: 1,
      troubles: [],
      read: { at: 1, maxAge: 300, keys: { [next]: { since: 1, everywhereAt: 2 } } },
    };
    await saveFound(store, settings.VOUCH_AWS_ISSUER, found);
    expect(await keysWith(settings, 'list')).toMatchObject({ code: 0, stderr: '' });
  });

  test('shows each key with its state, from when until when, and where its private half is', async () => {
    const previous = await addKey({ state: 'previous', current_at: start - DAY, previous_at: start });
    const next = await addKey({ state: 'next', signs_from: start + 90 * DAY });
    const revoked = await addKey({ state: 'gone', gone_at: start, revoked_at: start });
    const gone = await addKey({
      state: 'gone',
      gone_at: start - 1,
      source: 'awskms:arn:aws:kms:eu-central-1:123456789012:key/0c7d7a0e-1111-4222-8333-444455556666',
    });
    const { code, stdout, stderr } = await keys('list');
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^KID +STATE +SINCE +UNTIL +PRIVATE HALF$/);
    const states = lines.slice(1).map((line) => line.split(/ +/));
    expect(states.map(([kid, state]) => [kid, state])).toEqual([
      [first.slice(0, 10), 'current'],
      [next.slice(0, 10), 'next'],
      [previous.slice(0, 10), 'previous'],
      [revoked.slice(0, 10), 'revoked'],
      [gone.slice(0, 10), 'gone'],
    ]);
    expect(states.map((cells) => cells.at(-1))).toEqual([
      'database',
      'database',
      'deleted',
      'deleted',
      expect.stringMatching(/^arn:aws:kms:/),
    ]);
    const listed = json((await keys('list', '--json')).stdout).keys as Record<string, unknown>[];
    expect(listed.map(({ kid, since, until }) => [kid, since, until])).toEqual([
      [first, new Date(start).toISOString(), new Date(start + 90 * DAY).toISOString()],
      [next, new Date(start).toISOString(), new Date(start + 90 * DAY).toISOString()],
      [previous, new Date(start).toISOString(), new Date(start + PREVIOUS_MS).toISOString()],
      [revoked, new Date(start).toISOString(), null],
      [gone, new Date(start - 1).toISOString(), null],
    ]);
    expect(JSON.stringify(listed)).not.toContain('jwe');
    const off = json((await keysWith({ VOUCH_KEY_ROTATION_DAYS: 'off' }, 'list', '--json')).stdout).keys;
    expect((off as Record<string, unknown>[])[0]).toMatchObject({ kid: first, until: null });
  });

  test('takes no master key', async () => {
    expect((await keysWith({ VOUCH_MASTER_KEY: Buffer.alloc(32, MASTER_KEY).toString('base64') }, 'list')).code).toBe(
      0,
    );
  });
});

describe('vouch-server signing-keys rotate', () => {
  test('publishes a next key, and says when it will sign', async () => {
    const before = Date.now();
    const { code, stdout, stderr } = await keys('rotate');
    expect([code, stderr]).toEqual([0, '']);
    const next = Object.entries(await statesOf()).find(([, state]) => state === 'next')?.[0] ?? '';
    expect(stdout).toMatch(
      /^Published a new signing key, \S{10}\.\nIt signs from \d\d:\d\d( on .*)? on, in place of \S{10}\. /,
    );
    expect(stdout).toContain(`, ${next.slice(0, 10)}.`);
    const [row] = await store.selectFrom('signing_keys').select('signs_from').where('kid', '=', next).execute();
    expect(row?.signs_from).toBeGreaterThanOrEqual(before + PUBLISH_MS);
    expect(await auditOf(store)).toEqual([
      {
        event: 'signing-key-published',
        actor: expect.stringMatching(/^cli:/),
        subject: null,
        detail: expect.objectContaining({ kid: next, source: 'database', signsFrom: row?.signs_from }),
      },
    ]);
  });

  test('brings the scheduled one forward, but not before it was published for long enough; and once', async () => {
    const now = Date.now();
    const next = await addKey({ state: 'next', published_at: now - 1_000, signs_from: now + DAY });
    const { stdout } = await keys('rotate', '--json');
    const signsFrom = new Date(now - 1_000 + PUBLISH_MS).toISOString();
    expect(json(stdout)).toEqual({ next, current: first, signsFrom, made: false });
    expect(json((await keys('rotate', '--json')).stdout)).toEqual({ next, current: first, signsFrom, made: false });
    expect((await auditOf(store)).map(({ event }) => event)).toEqual(['signing-key-advanced']);
    await store
      .updateTable('signing_keys')
      .set({ published_at: now - HOUR })
      .where('kid', '=', next)
      .execute();
    expect((await keys('rotate')).stdout).toContain('It signs as soon as a server has published it for 6 minutes.');
  });

  test('reminds of the public documents where AWS reads them elsewhere', async () => {
    const { stdout } = await keysWith({ VOUCH_AWS_ISSUER: 'https://id.example.com/vouch' }, 'rotate');
    expect(stdout).toContain('needs to be at https://id.example.com/vouch before it signs: vouch-server publish DIR');
  });

  test('takes the master key of the keys that are there', async () => {
    const other = Buffer.from(MASTER).reverse().toString('base64');
    const { code, stderr } = await keysWith({ VOUCH_MASTER_KEY: other }, 'rotate');
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot be opened')]);
    expect(await statesOf()).toEqual({ [first]: 'current' });
  });
});

describe('vouch-server signing-keys revoke', () => {
  const addSession = async (id: string, authTime: number) => {
    const row = sessionRow(id, 'alice', 'alice-1', { auth_time: authTime, machine: `${id}s-laptop` });
    await store.insertInto('sessions').values(row).execute();
  };
  const sessionsLeft = async () => {
    const rows = await store.selectFrom('sessions').select('id').where('revoked_at', 'is', null).execute();
    return rows.map(({ id }) => id).sort();
  };

  beforeEach(async () => {
    await addPerson(store, 'alice@example.com', 1);
    await addSession('before', start - HOUR);
    await addSession('just-before', start - 60_000);
    await addSession('after', start + HOUR);
  });

  test('says what it breaks, and does nothing without a yes', async () => {
    const { code, stdout, stderr } = await keys('revoke', first.slice(0, 10));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^Revoking \S{10} \(current, since \S+\) breaks this:\n/);
    expect(stderr).toContain('2 sessions end; these people sign in again.');
    expect(stderr).toContain('AWS does not document how long it keeps it. A token itself is good for 6 minutes.');
    expect(stderr).toContain('vouch-server aws-revoke EMAIL');
    expect(stderr).toContain('A new key signs at once.');
    expect(await statesOf()).toEqual({ [first]: 'current' });
    expect(await sessionsLeft()).toEqual(['after', 'before', 'just-before']);
  });

  test('ends the current key with the next one, whose private half was in the same place, and the sessions', async () => {
    const next = await addKey({ state: 'next', signs_from: start + DAY });
    const { code, stdout } = await keys('revoke', first, '--yes');
    expect(code).toBe(0);
    const states = await statesOf();
    const [current = ''] = Object.entries(states).find(([, state]) => state === 'current') ?? [];
    expect(states).toEqual({ [current]: 'current', [first]: 'gone', [next]: 'gone' });
    expect(stdout).toBe(
      `Revoked ${first.slice(0, 10)} and ${next.slice(0, 10)}. ${current.slice(0, 10)} signs now.\n` +
        'Ended 2 sessions (just-befores-laptop, afters-laptop).\n',
    );
    expect(await sessionsLeft()).toEqual(['before']);
    const found = await findSigningKey(store, MASTER, first);
    expect(found).toMatchObject({ publicJwk: { kid: first }, revokedAt: expect.any(Number) });
    expect(found?.publicJwk).not.toHaveProperty('d');
    const audit = await auditOf(store);
    expect(audit.map(({ event, detail }) => [event, Object(detail).kid])).toEqual([
      ['signing-key-revoked', first],
      ['signing-key-revoked', next],
      ['signing-key-current', current],
      ['session-ended', undefined],
      ['session-ended', undefined],
    ]);
    expect(new Set(audit.map(({ actor }) => actor))).toEqual(new Set([expect.stringMatching(/^cli:/)]));
  });

  test('lets a next key sign whose private half is elsewhere', async () => {
    const source = 'awskms:arn:aws:kms:eu-central-1:123456789012:key/0c7d7a0e-1111-4222-8333-444455556666';
    const next = await addKey({ state: 'next', source });
    const { stdout } = await keys('revoke', first, '--yes', '--json');
    expect(json(stdout)).toMatchObject({ revoked: [first], current: next });
    expect(await statesOf()).toEqual({ [next]: 'current', [first]: 'gone' });
  });

  test('of a previous key ends only the sessions that it signed tokens for', async () => {
    const previous = await addKey({ state: 'previous', current_at: start - DAY, previous_at: start - 30 * 60_000 });
    const { stderr, stdout } = await keys('revoke', previous, '--yes', '--json');
    expect(stderr).toContain('1 session ends;');
    expect(stderr).not.toContain('A new key signs at once.');
    expect(json(stdout)).toMatchObject({ revoked: [previous], current: null, sessionsEnded: [{ id: 'before' }] });
    expect(await sessionsLeft()).toEqual(['after', 'just-before']);
    expect(await statesOf()).toEqual({ [first]: 'current', [previous]: 'gone' });
  });

  test('of a key that is gone marks it, and of one that is next breaks nothing', async () => {
    const gone = await addKey({ state: 'gone', gone_at: start });
    const next = await addKey({ state: 'next' });
    expect((await keys('revoke', gone, '--yes')).stderr).toContain('It is only marked as revoked');
    expect((await keys('revoke', next, '--yes')).stderr).toContain('Revoking it breaks nothing.');
    expect(await sessionsLeft()).toEqual(['after', 'before', 'just-before']);
    expect((await findSigningKey(store, MASTER, gone))?.revokedAt).toEqual(expect.any(Number));
    const again = await keys('revoke', gone, '--yes');
    expect([again.code, again.stderr]).toEqual([1, `vouch-server: The signing key ${gone} was revoked already.\n`]);
  });

  test.each(['', 'x', 'unknown-key', '%'])('of an unknown key, %j, is refused', async (named) => {
    const { code, stderr } = await keys('revoke', named, '--yes');
    expect([code, stderr]).toEqual([1, expect.stringContaining('There is no signing key')]);
  });

  test('of too short a beginning of a name is refused', async () => {
    expect((await keys('revoke', first.slice(0, 9), '--yes')).code).toBe(1);
    expect(await statesOf()).toEqual({ [first]: 'current' });
  });
});
