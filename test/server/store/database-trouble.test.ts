import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openFile } from '../../../server/store/sqlite/open-store.ts';
import type { Store } from '../../../server/store/store.ts';
import { StoreUnavailable } from '../../../server/store/unavailable.ts';
import { Browser } from '../browser.ts';
import { CliClient } from '../cli-client.ts';
import { program, startProgram } from '../program.ts';
import { addAudit } from '../rows.ts';
import { localSettings, newDatabase } from '../settings.ts';
import {
  enrolPerson,
  expectProblem,
  jsonOf,
  moveClock,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';

async function newServer(): Promise<TestServer> {
  const server = await startServer();
  onTestFinished(server.close);
  return server;
}

/** Makes another program take the write lock. @returns a function that releases it */
async function holdLock(file: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'hold-lock.ts'), file], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return async () => {
    const closed = once(child, 'close');
    child.stdin.end();
    await closed;
  };
}

async function push(origin: string): Promise<Response> {
  const client = await CliClient.create(origin);
  return client.push();
}

/** Expects an answer that says when to try again. */
async function expectUnavailable(response: Response): Promise<void> {
  expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  await expectProblem(response, 503, 'unavailable');
}

/** Expects an answer of /readyz that names the database alone. */
async function expectUnready(response: Response): Promise<void> {
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await response.json()).toMatchObject({
    status: 'failing',
    parts: { database: 'failing', 'signing-key': 'ok' },
  });
}

describe('while another program has the write lock', () => {
  test('reads are answered at once, writes get 503 after a while, and all is well afterwards', async () => {
    const server = await newServer();
    const { key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);
    const page = await SignIn.open(server.origin);
    const release = await holdLock(server.databaseFile);

    let answered = 0;
    const count = <Result>(result: Result) => {
      answered += 1;
      return result;
    };
    const writes = Promise.all([
      page.post('options').then(count),
      client.api('GET', '/api/session', access_token).then(count),
      fetch(`${server.origin}/readyz`).then(count),
      push(server.origin).then(count),
    ]);
    // A server that waits inside SQLite would answer these after the writes, or between them.
    for (const path of ['/healthz', '/jwks', `/login/${page.uid}`, '/healthz']) {
      expect([path, (await fetch(server.origin + path)).status]).toEqual([path, 200]);
    }
    await jsonOf(await page.browser.get(`/login/${page.uid}/details`));
    expect(answered).toBe(0);

    const [options, session, ready, pushed] = await writes;
    await expectUnavailable(options);
    await expectUnavailable(session);
    await expectUnready(ready);
    expect([pushed.status, pushed.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await pushed.json()).toMatchObject({ error: 'temporarily_unavailable' });

    const waiting = [page.post('options'), client.api('GET', '/api/session', access_token), push(server.origin)];
    await jsonOf(await page.browser.get(`/login/${page.uid}/details`));
    await release();
    expect((await Promise.all(waiting)).map((response) => response.status)).toEqual([200, 200, 201]);
    await jsonOf(await page.touch(key));
  });

  test('a browser that comes to sign in is not told that its sign-in is over', async () => {
    const server = await newServer();
    const client = await CliClient.create(server.origin);
    const path = await client.authorizationPath();
    const release = await holdLock(server.databaseFile);
    const browser = new Browser(server.origin);
    const refused = await browser.get(path, { accept: 'text/html' });
    expect([refused.status, refused.headers.get('location')]).toEqual([503, null]);
    expect(refused.headers.get('retry-after')).toBe('5');
    await release();
    await SignIn.openPath(browser, client, path);
  });
});

describe('readiness', () => {
  test('is tried with a write to the database, but not at every request', async () => {
    const server = await newServer();
    const written = async () =>
      (await server.context.store.selectFrom('server').select('written_at').executeTakeFirstOrThrow()).written_at;
    moveClock(server, 1_000_000);
    await Promise.all(Array.from({ length: 20 }, async () => jsonOf(await fetch(`${server.origin}/readyz`))));
    const first = await written();
    expect(first).toBeGreaterThan(Date.now() + 900_000);
    moveClock(server, 2_000_000);
    await jsonOf(await fetch(`${server.origin}/readyz`));
    expect(await written()).toBe(first);
  });

  const harms: [string, (file: string) => void][] = [
    ['was removed', (file) => unlinkSync(file)],
    ['was moved away', (file) => renameSync(file, `${file}.old`)],
    [
      'was replaced by a copy',
      (file) => {
        copyFileSync(file, `${file}.copy`);
        renameSync(`${file}.copy`, file);
      },
    ],
    ['lost its write-ahead log', (file) => unlinkSync(`${file}-wal`)],
  ];
  for (const [name, harm] of harms) {
    test(`is denied if the database ${name}, and writes are refused`, async () => {
      const server = await newServer();
      const page = await SignIn.open(server.origin);
      harm(server.databaseFile);
      await expectUnready(await fetch(`${server.origin}/readyz`));
      await expectUnavailable(await page.post('options'));
      expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
    });
  }

  test('is denied if the disk is full', async () => {
    const database = newDatabase();
    const settings = await localSettings(database);
    const origin = settings.VOUCH_ISSUER;
    // No file may grow beyond 384 KiB. To SQLite that is a full disk.
    const starter = `${database}.start`;
    writeFileSync(starter, `trap '' XFSZ; ulimit -f 768; exec '${process.execPath}' '${program}' serve\n`);
    const server = await startProgram(settings, ['/bin/sh', starter]);
    await jsonOf(await fetch(`${origin}/readyz`));
    let pushed = await push(origin);
    for (let count = 0; pushed.status === 201 && count < 500; count += 1) pushed = await push(origin);
    expect([pushed.status, pushed.headers.get('retry-after')]).toEqual([503, '30']);
    await expect
      .poll(async () => (await fetch(`${origin}/readyz`)).status, { timeout: 30_000, interval: 250 })
      .toBe(503);
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    expect(server.output).toContain('"level":50');
  });
});

/** One database, opened twice as by two servers. */
async function twoStores(): Promise<[Store, Store]> {
  const file = newDatabase();
  const stores: [Store, Store] = [await openFile(file), await openFile(file)];
  onTestFinished(async () => {
    for (const store of stores) await store.destroy();
  });
  return stores;
}

const addChallenge = (store: Store, name: string) =>
  store
    .insertInto('challenges')
    .values({ challenge_hash: name, purpose: 'sign-in', binding: 'x', expires_at: 1 })
    .execute();
const challenges = async (store: Store) =>
  (await store.selectFrom('challenges').select('challenge_hash').execute()).map((row) => row.challenge_hash);

test('a transaction has the lock from its start: what it has read stays true until it writes', async () => {
  const [store, other] = await twoStores();
  let others: Promise<unknown> | undefined;
  await store.transaction().execute(async (transaction) => {
    expect(await challenges(transaction)).toEqual([]);
    others = addChallenge(other, 'other’s');
    // Long enough for the other server to try.
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(await challenges(transaction)).toEqual([]);
    await addChallenge(transaction, 'mine');
  });
  await others;
  expect((await challenges(store)).sort()).toEqual(['mine', 'other’s']);
});

test('a transaction that fails on a full disk says so, and the next one succeeds', async () => {
  const store = await openFile(newDatabase());
  onTestFinished(() => store.destroy());
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(store);
  await sql`pragma max_page_count = ${sql.lit(rows[0]?.page_count ?? 0)}`.execute(store);
  const insert = (size: number) => addAudit(store, 1, { event: 'invited', actor: 'x'.repeat(size) });
  const failure = await insert(100_000).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StoreUnavailable);
  expect((failure as Error).message).toMatch(/full/);
  await insert(1);
  expect(await store.selectFrom('audit').select('actor').execute()).toEqual([{ actor: 'x' }]);
});
