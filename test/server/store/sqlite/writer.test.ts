import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import type { Schema } from '../../../../server/store/schema.ts';
import { SqliteDatabase } from '../../../../server/store/sqlite/connection.ts';
import { NodeSqliteDialect } from '../../../../server/store/sqlite/dialect.ts';
import { openToRead, openToWrite } from '../../../../server/store/sqlite/open-database.ts';
import { openFile } from '../../../../server/store/sqlite/open-store.ts';
import { Writer } from '../../../../server/store/sqlite/writer.ts';
import { StoreUnavailable } from '../../../../server/store/unavailable.ts';
import { newDatabase } from '../../settings.ts';

/** A store whose commits can be counted, and another connection to its file. */
async function newStore() {
  const file = newDatabase();
  await (await openFile(file)).destroy();
  let commits = 0;
  const count = () => {
    commits += 1;
  };
  const database = new SqliteDatabase(new Writer(openToWrite(file, 0), count), () => openToRead(file, 0));
  const store = new Kysely<Schema>({ dialect: new NodeSqliteDialect(database) });
  const other = new DatabaseSync(file);
  onTestFinished(async () => {
    other.close();
    await store.destroy();
  });
  const add = (name: string, db = store) =>
    db
      .insertInto('challenges')
      .values({ challenge_hash: name, purpose: 'sign-in', binding: 'x', expires_at: 1 })
      .execute();
  /** What is stored, as any other process sees it. */
  const stored = () => {
    const rows = other.prepare('select challenge_hash as name from challenges order by name').all();
    return rows.map(({ name }) => name);
  };
  return { store, add, stored, commits: () => commits, other };
}

test('changes and transactions of one moment share a commit, and are stored once they are confirmed', async () => {
  const { store, add, stored, commits } = await newStore();
  await Promise.all([
    add('a').then(() => expect(stored()).toContain('a')),
    store.transaction().execute((transaction) => add('b', transaction)),
    add('c'),
    store
      .transaction()
      .execute(async (transaction) => {
        await add('d', transaction);
        await add('e', transaction);
      })
      .then(() => expect(stored()).toContain('e')),
  ]);
  expect(stored()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(commits()).toBe(1);
  await add('f');
  await add('g');
  expect(commits()).toBe(3);
});

test('what fails in a shared commit is undone alone', async () => {
  const { store, add, stored, commits } = await newStore();
  const ends = await Promise.allSettled([
    add('a'),
    store.transaction().execute(async (transaction) => {
      await add('undone', transaction);
      throw new Error('changed its mind');
    }),
    add('a'),
    store.transaction().execute(async (transaction) => {
      await add('b', transaction);
      await add('a', transaction).catch(() => {});
    }),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(stored()).toEqual(['a', 'b']);
  expect(commits()).toBe(1);
});

test('when the shared commit fails, nobody is told that anything is stored, and the next one works', async () => {
  const { store, add, stored, other } = await newStore();
  // Checked at the commit, like a disk that turns out to be full.
  other.exec('create table rules (id integer primary key, of integer references rules deferrable initially deferred)');
  const ends = await Promise.allSettled([
    add('a'),
    store.transaction().execute(async (transaction) => {
      await sql`insert into rules values (1, 7)`.execute(transaction);
    }),
    add('b'),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(stored()).toEqual([]);
  await add('c');
  expect(stored()).toEqual(['c']);
});

test('a transaction that SQLite has rolled back stores nothing more, even if it goes on', async () => {
  const { store, add, stored, other } = await newStore();
  other.exec(`create trigger full before insert on challenges when new.challenge_hash = 'harm'
    begin select raise(rollback, 'all is undone'); end`);
  const ends = await Promise.allSettled([
    add('a'),
    store.transaction().execute(async (transaction) => {
      await add('harm', transaction).catch(() => {});
      await add('alone', transaction);
    }),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(stored()).toEqual([]);
});

test('what SQLite does only outside a transaction works between others', async () => {
  const { store, add, stored } = await newStore();
  await Promise.all([add('a'), sql`vacuum`.execute(store), add('b')]);
  expect(stored()).toEqual(['a', 'b']);
});

test('statements that stay prepared see a change of the schema', async () => {
  const { store, add, other } = await newStore();
  const all = () => store.selectFrom('challenges').selectAll().execute();
  await add('a');
  expect(await all()).toHaveLength(1);
  other.exec("alter table challenges add column more text default 'new'");
  await add('b');
  expect((await all()).map((row) => Object(row).more)).toEqual(['new', 'new']);
});

/** A store on whose connection these words fail as long as they are in the list. */
async function failing(words: string[]) {
  const file = newDatabase();
  await (await openFile(file)).destroy();
  const connection = openToWrite(file, 0);
  const prepare = connection.prepare.bind(connection);
  connection.prepare = (sql) => {
    if (words.includes(sql)) throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
    return prepare(sql);
  };
  const database = new SqliteDatabase(new Writer(connection, () => {}), () => openToRead(file, 0));
  const store = new Kysely<Schema>({ dialect: new NodeSqliteDialect(database) });
  onTestFinished(() => store.destroy());
  const add = (name: string, db = store) =>
    db
      .insertInto('challenges')
      .values({ challenge_hash: name, purpose: 'sign-in', binding: 'x', expires_at: 1 })
      .execute();
  return { store, add };
}

test('a transaction that cannot begin keeps nobody else waiting', async () => {
  const words = ['SAVEPOINT ours'];
  const { store, add } = await failing(words);
  await expect(store.transaction().execute((transaction) => add('a', transaction))).rejects.toBeInstanceOf(
    StoreUnavailable,
  );
  words.pop();
  await store.transaction().execute((transaction) => add('b', transaction));
  expect(await store.selectFrom('challenges').select('challenge_hash as name').execute()).toEqual([{ name: 'b' }]);
});

test('what cannot be undone alone is undone with all that share its commit, and they are told', async () => {
  const words = ['ROLLBACK TO ours'];
  const { store, add } = await failing(words);
  const ends = await Promise.allSettled([
    add('a'),
    store.transaction().execute(async (transaction) => {
      await add('undone', transaction);
      throw new Error('changed its mind');
    }),
  ]);
  expect(ends.map((end) => (end.status === 'rejected' ? end.reason.message : end.status))).toEqual([
    expect.stringContaining('disk I/O error'),
    'changed its mind',
  ]);
  words.pop();
  await add('b');
  expect(await store.selectFrom('challenges').select('challenge_hash as name').execute()).toEqual([{ name: 'b' }]);
});
