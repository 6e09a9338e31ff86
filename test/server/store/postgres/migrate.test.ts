import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { PostgresEngine } from '../../../../server/store/postgres/engine.ts';
import type { Store } from '../../../../server/store/store.ts';
import { administer, createDatabase } from '../../../support/postgres.ts';
import { addAudit, emptyAudit } from '../../rows.ts';

async function newUrl(how?: 'empty'): Promise<string> {
  const { url, drop } = await createDatabase(how);
  onTestFinished(drop);
  return url;
}

async function open(url: string): Promise<Store> {
  const store = await new PostgresEngine(url, undefined, 4).open();
  onTestFinished(() => store.destroy());
  return store;
}

test('servers that start together on an empty database make its schema once', async () => {
  const url = await newUrl('empty');
  const stores = await Promise.all(Array.from({ length: 8 }, () => open(url)));
  for (const store of stores) expect(await store.selectFrom('audit_head').select('last_id').execute()).toHaveLength(1);
});

test('a server whose user may only read and write starts when there is nothing to migrate', async () => {
  const url = await newUrl();
  await administer(
    url,
    'drop role if exists vouch_clerk',
    'create role vouch_clerk login',
    'revoke create on schema public from public',
    'grant select, insert, update, delete on all tables in schema public to vouch_clerk',
  );
  onTestFinished(() => administer(url, 'drop owned by vouch_clerk', 'drop role vouch_clerk'));
  const store = await open(url.replace('postgres@', 'vouch_clerk@'));
  await addAudit(store, 1, { event: 'signed-in', actor: 'a' });
  await expect(sql`alter table audit disable trigger all`.execute(store)).rejects.toThrow('owner');
});

test('text is in the order of its bytes, and whole numbers have 64 bits, whatever the database was made for', async () => {
  const store = await open(await newUrl());
  const { rows: order } = await sql`select 'a' < 'B' as usual, 'a' < 'B' collate "C" as bytes`.execute(store);
  expect(order).toEqual([{ usual: true, bytes: false }]);
  const { rows } = await sql<{ column_name: string }>`
    select table_name, column_name, data_type, collation_name from information_schema.columns
    where table_schema = 'public' and not table_name in ('kysely_migration', 'kysely_migration_lock', 'vouch_migrating')
    and not (data_type = 'bigint' or (data_type = 'text' and collation_name = 'C'))`.execute(store);
  expect(rows).toEqual([]);
});

test('no program changes the audit trail, or deletes from its end or middle', async () => {
  const url = await newUrl();
  const store = await open(url);
  await addAudit(store, 1, { event: 'signed-in', actor: 'a' }, { event: 'signed-in', actor: 'b' });
  for (const statement of [
    `update audit set actor = 'eve'`,
    'update audit set id = 7 where id = 1',
    `insert into audit select * from audit where id = 1 on conflict (id) do update set actor = 'eve'`,
    'delete from audit where id = 2',
    'delete from audit',
    'truncate audit',
  ]) {
    await expect(administer(url, statement), statement).rejects.toThrow('the audit trail');
  }
  expect((await store.selectFrom('audit').select('actor').execute()).map(({ actor }) => actor)).toEqual(['a', 'b']);
  await emptyAudit(store);
  expect(await store.selectFrom('audit').selectAll().execute()).toEqual([]);
  // Without a head nothing may be deleted either.
  await addAudit(store, 1, { event: 'signed-in', actor: 'c' });
  await sql`delete from audit_head`.execute(store);
  await expect(store.deleteFrom('audit').execute()).rejects.toThrow('only deleted up to its base');
});

test('a database with another encoding is refused, and one that is not Vouch’s is left alone', async () => {
  const url = await newUrl('empty');
  const name = `${new URL(url).pathname.slice(1)}_latin`;
  await administer(
    url,
    `create database ${name} template template0 encoding 'SQL_ASCII' locale_provider libc locale 'C'`,
  );
  onTestFinished(() => administer(url, `drop database ${name}`));
  const latin = new URL(url);
  latin.pathname = `/${name}`;
  await expect(open(latin.href)).rejects.toMatchObject({
    kind: 'database-refused',
    what: expect.stringContaining('SQL_ASCII'),
  });
  const existing = new PostgresEngine(url, undefined, 2).openExisting();
  await expect(existing).rejects.toMatchObject({ kind: 'database-refused' });
});
