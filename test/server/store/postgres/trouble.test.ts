import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { sql } from 'kysely';
import pg from 'pg';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { readAddress } from '../../../../server/store/postgres/address.ts';
import { PostgresEngine } from '../../../../server/store/postgres/engine.ts';
import { readSnapshot } from '../../../../server/store/snapshot.ts';
import type { Store } from '../../../../server/store/store.ts';
import { StoreUnavailable } from '../../../../server/store/unavailable.ts';
import { administer, clientOf, createDatabase } from '../../../support/postgres.ts';
import { addAudit } from '../../rows.ts';

let url: string;
let store: Store;
beforeEach(async () => {
  const database = await createDatabase();
  onTestFinished(database.drop);
  url = database.url;
  store = await new PostgresEngine(url, undefined, 4).open();
  onTestFinished(() => store.destroy());
});

const addRow = () => addAudit(store, 1, { event: 'signed-in', actor: 'a' });
const countRows = async () => (await store.selectFrom('audit').select('id').execute()).length;

/** Ends the server's connections, as an administrator or a failover does. */
const cutAll = () =>
  administer(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'vouch-server' and datname = current_database()`,
  );

test('connections that were cut while nobody used them are not noticed', async () => {
  await addRow();
  await cutAll();
  // The connection learns of it from its socket, when this process looks at it.
  await expect.poll(() => countRows().catch(() => undefined)).toBe(1);
  await addRow();
  expect(await countRows()).toBe(2);
});

test('a transaction whose connection is cut fails with what may pass, and the next one succeeds', async () => {
  const failed = store.transaction().execute(async (transaction) => {
    await transaction.insertInto('leases').values({ work: 'w', holder: 'h', taken_at: 1 }).execute();
    await cutAll();
    await transaction.selectFrom('leases').selectAll().execute();
  });
  await expect(failed).rejects.toBeInstanceOf(StoreUnavailable);
  await addRow();
  expect(await store.selectFrom('leases').selectAll().execute()).toEqual([]);
});

test('a transaction gets no turn while another program holds the lock for too long, and then does', async () => {
  const other = clientOf(url);
  await other.connect();
  await other.query('begin; select * from audit_head for update');
  const failure = await addRow().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StoreUnavailable);
  expect((failure as StoreUnavailable).headers).toEqual({ 'Retry-After': '5' });
  // Who only reads, or writes in one statement, does not wait.
  expect(await countRows()).toBe(0);
  const next = addRow();
  await other.query('rollback');
  await next;
  await other.end();
  expect(await countRows()).toBe(1);
});

test('statements go on after another version of the server has added a column', async () => {
  await addRow();
  const read = () => store.selectFrom('audit').selectAll().execute();
  const [before] = await read();
  await administer(url, 'alter table audit add column note text');
  // A snapshot cannot be tried again by itself.
  const snapshot = await readSnapshot(store, (reading) => reading.selectFrom('audit').selectAll().execute()).catch(
    (error: unknown) => error,
  );
  if (!Array.isArray(snapshot)) expect(snapshot).toBeInstanceOf(StoreUnavailable);
  expect(await read()).toEqual([{ ...before, note: null }]);
});

test('a statement that a deadlock ended is tried again, because nothing of it has happened', async () => {
  await store
    .insertInto('leases')
    .values(['a', 'b'].map((work) => ({ work, holder: 'h', taken_at: 1 })))
    .execute();
  const other = clientOf(url);
  await other.connect();
  // The other one notices deadlocks late, so that ours is the one that is ended.
  await other.query(`set deadlock_timeout = '60s'; begin; update leases set taken_at = 2 where work = 'b'`);
  const ours =
    sql`update leases set taken_at = taken_at + 10 where work in (select work from leases order by work for update)`.execute(
      store,
    );
  await expect
    .poll(async () => (await other.query(`select 1 from pg_locks where not granted`)).rowCount, { interval: 20 })
    .toBeGreaterThan(0);
  await other.query(`update leases set taken_at = 3 where work = 'a'`);
  await other.query('commit');
  await other.end();
  await ours;
  const found = await store.selectFrom('leases').select(['work', 'taken_at']).orderBy('work').execute();
  expect(found).toEqual([
    { work: 'a', taken_at: 13 },
    { work: 'b', taken_at: 12 },
  ]);
});

test('a mistake in a statement is no trouble that passes', async () => {
  const failure = await sql`select * from nowhere`.execute(store).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(pg.DatabaseError);
  await expect(sql`insert into leases values ('a', 'b', 1), ('a', 'b', 1)`.execute(store)).rejects.not.toBeInstanceOf(
    StoreUnavailable,
  );
});

test('a database that nobody can reach is trouble that passes, and says where it is without a password', async () => {
  const engine = new PostgresEngine('postgres://vouch:geheim@127.0.0.1:1/vouch', undefined, 2);
  const failure = await engine.open().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StoreUnavailable);
  expect(String(failure)).toContain('ECONNREFUSED');
  expect(engine.name).toBe('postgres://vouch@127.0.0.1:1/vouch');
  expect(String((failure as Error).stack)).not.toContain('geheim');
});

test('numbers that JavaScript cannot tell apart are refused', async () => {
  await expect(sql`select 9007199254740993 as big`.execute(store)).rejects.toBeInstanceOf(RangeError);
  expect((await sql`select sum(n), count(*), 1.5 as part from (values (1), (2)) as t (n)`.execute(store)).rows).toEqual(
    [{ sum: 3, count: 2, part: 1.5 }],
  );
});

test('of 60 transactions at once none is lost, with 4 connections', async () => {
  await Promise.all(Array.from({ length: 60 }, addRow));
  expect(await countRows()).toBe(60);
  const { rows } = await sql<{ count: number }>`select count(*) from pg_stat_activity
    where application_name = 'vouch-server' and datname = current_database()`.execute(store);
  expect(rows[0]?.count).toBeLessThanOrEqual(4);
});

test('a server ends although the database’s machine has gone, and what it asked last fails', async () => {
  const { host, port } = readAddress(url);
  const sockets: Socket[] = [];
  const relay = createServer((near) => {
    const far = host.startsWith('/') ? createConnection(`${host}/.s.PGSQL.${port}`) : createConnection(port, host);
    near.pipe(far).pipe(near);
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
  await once(relay, 'listening');
  const there = new URL(url);
  const through = `postgres://postgres@127.0.0.1:${(relay.address() as AddressInfo).port}${there.pathname}`;
  const far = await new PostgresEngine(through, undefined, 4).open();
  const ask = () => far.selectFrom('audit').select('id').execute();
  await Promise.all([ask(), ask()]);
  // Nothing arrives any more, and nobody says so.
  for (const socket of sockets) socket.unpipe().pause();
  const last = ask();
  last.catch(() => {});
  await far.destroy();
  await expect(last).rejects.toBeInstanceOf(StoreUnavailable);
});
