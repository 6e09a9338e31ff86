import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { migrations } from '../../../server/store/migrations/index.ts';
import { newDatabaseUrl, openStore } from '../engines.ts';

test('a migration that fails leaves nothing behind', async () => {
  const url = await newDatabaseUrl('empty');
  migrations['9999_broken'] = {
    up: async (db) => {
      await sql`create table half_done (id text)`.execute(db);
      throw new Error('the second half fails');
    },
  };
  await expect(openStore(url)).rejects.toThrow('the second half fails');
  delete migrations['9999_broken'];
  const store = await openStore(url);
  const tables = await store.introspection.getTables();
  expect(tables.map((table) => table.name)).not.toContain('half_done');
  expect(tables.map((table) => table.name)).toContain('people');
});
