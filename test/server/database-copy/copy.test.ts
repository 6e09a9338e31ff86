import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { trimAudit } from '../../../server/audit/retention.ts';
import { verifyTrail } from '../../../server/audit/verify.ts';
import { copyDatabase } from '../../../server/database-copy/copy.ts';
import { copiedTables } from '../../../server/database-copy/tables.ts';
import { DatabaseKeyRing } from '../../../server/signing/key-ring.ts';
import { chooseEngine } from '../../../server/store/choose-engine.ts';
import { readSnapshot } from '../../../server/store/snapshot.ts';
import type { Store } from '../../../server/store/store.ts';
import { tamper } from '../audit/tampering.ts';
import { type EngineKind, makeDatabase, openStore, runStatements } from '../engines.ts';
import { vouchServer } from '../program.ts';
import { addAudit, personRow } from '../rows.ts';
import { enrolPerson, inviteCode, jsonOf, newEmail, SignIn, signIn, startServer } from '../support.ts';

/** More than 400 days after the first rows. */
const LATER = 500 * 24 * 3600_000;

const BY = { actor: 'cli:root' };
const OTHER: Record<EngineKind, EngineKind> = { sqlite: 'postgres', postgres: 'sqlite' };

async function newUrl(engine: EngineKind): Promise<string> {
  const { settings, drop } = await makeDatabase(engine);
  onTestFinished(drop);
  return settings.VOUCH_DATABASE_URL;
}

async function newSide(engine: EngineKind) {
  const url = await newUrl(engine);
  return { url, name: chooseEngine(url).name, store: await openStore(url) };
}

const everything = async (store: Store) => {
  const tables = copiedTables
    .filter(({ name }) => name !== 'audit')
    .map(async ({ name, key }) => {
      const { rows } = await sql`select * from ${sql.table(name)} order by ${sql.join(key.map(sql.ref))}`.execute(
        store,
      );
      return [name, rows.map((row) => ({ ...(row as object) }))] as const;
    });
  return Object.fromEntries(await Promise.all(tables));
};

describe.each(['sqlite', 'postgres'] as const)('from %s', (engine) => {
  test('to the other engine: people, keys, sessions and what is under way go on where they were', async () => {
    const server = await startServer({}, { engine });
    const { email, key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);
    const page = await SignIn.open(server.origin);
    const options = await page.options();
    const invited = newEmail();
    const code = await inviteCode(server, invited);
    const source = await openStore(server.databaseUrl);
    const { close } = server;

    const url = await newUrl(OTHER[engine]);
    const before = await everything(source);
    const {
      code: exit,
      stdout,
      stderr,
    } = await vouchServer(['db', 'copy', server.databaseUrl, url, '--live', '--json'], {});
    expect([exit, stderr]).toEqual([0, '']);
    const copied = JSON.parse(stdout);
    expect(copied).toMatchObject({ rows: { people: 1, keys: 1, invitations: 2 }, missed: 0 });

    const target = await openStore(url);
    expect(await everything(target)).toEqual(before);
    const { fault, head } = await readSnapshot(target, verifyTrail);
    expect([fault, head.id]).toEqual([undefined, copied.trail.head.id + 1]);
    const last = await target.selectFrom('audit').selectAll().where('id', '=', head.id).executeTakeFirstOrThrow();
    expect(last).toMatchObject({
      event: 'database-copied',
      detail: JSON.stringify({ lastId: copied.trail.head.id, hash: copied.trail.head.hash }),
    });

    const { masterKey, origin } = server;
    await source.destroy();
    await close();
    const moved = await startServer({
      VOUCH_DATABASE_URL: url,
      VOUCH_ISSUER: origin,
      VOUCH_MASTER_KEY: masterKey.toString('base64'),
    });
    onTestFinished(moved.close);
    await jsonOf(await client.api('GET', '/api/session', access_token));
    await jsonOf(await page.post('verify', key.get(options)));
    await signIn(moved.origin, key);
    expect(await moved.context.store.selectFrom('people').select('email').execute()).toEqual([{ email }]);
    expect((await fetch(`${moved.origin}/enroll?code=${code}`)).status).toBe(200);
  });

  test('very many rows, and an audit trail whose oldest rows are gone', async () => {
    const [source, target] = [await newSide(engine), await newSide(OTHER[engine])];
    await addAudit(source.store, 1, ...Array.from({ length: 10 }, () => ({ event: 'signed-in' as const, actor: 'a' })));
    const clocks = { now: () => LATER, elapsed: () => 0 };
    const signingKey = (await DatabaseKeyRing.open(source.store, randomBytes(32), clocks)).current();
    await trimAudit(source.store, { issuer: 'http://localhost:3000', signingKey }, 400, LATER);
    await addAudit(
      source.store,
      LATER,
      ...Array.from({ length: 2_500 }, () => ({ event: 'signed-in' as const, actor: 'ä' })),
    );
    const payloads = Array.from({ length: 2_100 }, (_, index) => ({
      model: `Model ${index % 2}`,
      id_hash: `${index}`.repeat(3),
      payload: '{"a":"\\u0000"}',
      grant_id: null,
      uid: null,
      user_code: null,
      consumed_at: null,
      expires_at: index,
    }));
    for (let from = 0; from < payloads.length; from += 700) {
      await source.store
        .insertInto('oidc_payloads')
        .values(payloads.slice(from, from + 700))
        .execute();
    }
    const told: [string, number, number][] = [];
    const copied = await copyDatabase(source, target, BY, 1, (...step) => told.push(step));
    expect(copied).toMatchObject({
      rows: { oidc_payloads: 2_100, audit: 2_501 },
      trail: { rows: 2_501, head: { id: 2_511 } },
    });
    expect(told.filter(([table]) => table === 'audit').map(([, done]) => done)).toEqual([1_000, 2_000, 2_501]);
    expect(await everything(target.store)).toEqual(await everything(source.store));
    expect(await readSnapshot(target.store, verifyTrail)).toMatchObject({ rows: 2_502, base: { id: 10 } });
  });
});

describe('nothing is copied', () => {
  const rowsOf = async (store: Store) =>
    Object.values(await everything(store)).flat().length +
    (await store.selectFrom('audit').select('id').execute()).length;

  test('to a database that is not empty', async () => {
    const [source, target] = [await newSide('sqlite'), await newSide('postgres')];
    await target.store.insertInto('people').values(personRow('a', 'alice@example.com')).execute();
    await expect(copyDatabase(source, target, BY, 1)).rejects.toMatchObject({ kind: 'database-refused' });
    expect(await rowsOf(target.store)).toBe(1);
    const other = await newSide('postgres');
    await addAudit(other.store, 1, { event: 'signed-in', actor: 'a' });
    await expect(copyDatabase(source, other, BY, 1)).rejects.toMatchObject({ kind: 'database-refused' });
  });

  test('of a database whose audit trail is not whole', async () => {
    const [source, target] = [await newSide('sqlite'), await newSide('postgres')];
    await addAudit(source.store, 1, { event: 'signed-in', actor: 'a' }, { event: 'signed-in', actor: 'a' });
    await tamper(source.url, `update audit set actor = 'eve' where id = 2`);
    await expect(copyDatabase(source, target, BY, 1)).rejects.toMatchObject({
      kind: 'audit-broken',
      what: expect.stringContaining('changed at row 2'),
    });
    expect(await rowsOf(target.store)).toBe(0);
  });

  test('when the target fails in the middle', async () => {
    const [source, target] = [await newSide('sqlite'), await newSide('postgres')];
    await source.store.insertInto('people').values(personRow('a', 'alice@example.com')).execute();
    await addAudit(source.store, 1, { event: 'signed-in', actor: 'a' });
    await runStatements(
      target.url,
      `create function full_up() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$`,
      'create trigger full_up before insert on audit for each row execute function full_up()',
    );
    await expect(copyDatabase(source, target, BY, 1)).rejects.toThrow('no room');
    expect(await rowsOf(target.store)).toBe(0);
  });

  test('of a text that PostgreSQL cannot hold', async () => {
    const [source, target] = [await newSide('sqlite'), await newSide('postgres')];
    await source.store.insertInto('people').values(personRow('a\0', 'alice@example.com')).execute();
    await expect(copyDatabase(source, target, BY, 1)).rejects.toMatchObject({
      kind: 'database-refused',
      what: expect.stringContaining('U+0000'),
    });
    expect(await rowsOf(target.store)).toBe(0);
  });

  test('while a server uses the database, unless that is said', async () => {
    const server = await startServer({}, { engine: 'sqlite' });
    onTestFinished(server.close);
    const url = await newUrl('postgres');
    const { code, stderr } = await vouchServer(['db', 'copy', server.databaseUrl, url], {});
    expect([code, stderr]).toEqual([1, expect.stringContaining('open')]);
  });

  test('with a password on the command line, which it does not repeat', async () => {
    const url = 'postgres://vouch:geheim@db.example.com/vouch';
    const { code, stdout, stderr } = await vouchServer(['db', 'copy', 'sqlite:/nowhere/vouch.db', url], {});
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('VOUCH_DATABASE_PASSWORD_FILE');
    expect(stderr).not.toContain('geheim');
  });
});

test('what a running server stores meanwhile is counted as missing', async () => {
  const [source, target] = [await newSide('sqlite'), await newSide('postgres')];
  await addAudit(source.store, 1, { event: 'signed-in', actor: 'a' });
  let more: Promise<void> | undefined;
  const copied = await copyDatabase(source, target, BY, 1, () => {
    more ??= addAudit(source.store, 2, { event: 'signed-in', actor: 'b' }, { event: 'signed-in', actor: 'c' });
  });
  await more;
  expect(copied).toMatchObject({ rows: { audit: 1 }, missed: 2 });
});
