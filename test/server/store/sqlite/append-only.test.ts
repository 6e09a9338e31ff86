import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { openFile } from '../../../../server/store/sqlite/open-store.ts';
import { addAudit, emptyAudit } from '../../rows.ts';
import { newDatabase } from '../../settings.ts';

test('no program that opens the database changes the audit trail, or deletes from its end or middle', async () => {
  const file = newDatabase();
  const store = await openFile(file);
  onTestFinished(() => store.destroy());
  await addAudit(store, 1, { event: 'signed-in', actor: 'a' }, { event: 'signed-in', actor: 'b' });
  const other = new DatabaseSync(file);
  onTestFinished(() => other.close());
  for (const statement of [
    `update audit set actor = 'eve'`,
    'update audit set id = 7 where id = 1',
    `insert into audit select * from audit where id = 1 on conflict do update set actor = 'eve'`,
    'delete from audit where id = 2',
    'delete from audit',
  ]) {
    expect(() => other.exec(statement), statement).toThrow('the audit trail');
  }
  await expect(store.updateTable('audit').set({ actor: 'eve' }).execute()).rejects.toThrow('never changes');
  await expect(store.deleteFrom('audit').execute()).rejects.toThrow('only deleted up to its base');
  expect((await store.selectFrom('audit').select('actor').execute()).map(({ actor }) => actor)).toEqual(['a', 'b']);
  await emptyAudit(store);
  expect(await store.selectFrom('audit').selectAll().execute()).toEqual([]);
  // Without a head nothing may be deleted either.
  await addAudit(store, 1, { event: 'signed-in', actor: 'c' });
  await sql`delete from audit_head`.execute(store);
  await expect(store.deleteFrom('audit').execute()).rejects.toThrow('only deleted up to its base');
});

test('a database from before the rule gets it when it is opened', async () => {
  const file = newDatabase();
  await (await openFile(file)).destroy();
  const before = new DatabaseSync(file);
  before.exec('drop trigger audit_never_changes; drop trigger audit_is_kept');
  before.close();
  const store = await openFile(file);
  onTestFinished(() => store.destroy());
  await addAudit(store, 1, { event: 'signed-in', actor: 'a' });
  await expect(store.deleteFrom('audit').execute()).rejects.toThrow('only deleted up to its base');
});
