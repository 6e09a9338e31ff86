import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { migrations } from '../../../server/store/migrations/index.ts';
import { openFile } from '../../../server/store/sqlite/open-store.ts';
import { newDatabase } from '../settings.ts';

test('a migration that fails leaves nothing behind', async () => {
  const file = newDatabase();
  migrations['9999_broken'] = {
    up: async (db) => {
      await sql`create table half_done (id text)`.execute(db);
      throw new Error('the second half fails');
    },
  };
  await expect(openFile(file)).rejects.toThrow('the second half fails');
  delete migrations['9999_broken'];
  const store = await openFile(file);
  const tables = await store.introspection.getTables();
  expect(tables.map((table) => table.name)).not.toContain('half_done');
  expect(tables.map((table) => table.name)).toContain('people');
  await store.destroy();
});
