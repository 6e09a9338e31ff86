import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { chainHash } from '../../../server/audit/chain.ts';
import { migrations } from '../../../server/store/migrations/index.ts';
import { openFile } from '../../../server/store/sqlite/open-store.ts';
import { addAudit } from '../rows.ts';
import { newDatabase } from '../settings.ts';

test('rows from before the chain become its beginning, and roles come from the old column', async () => {
  const file = newDatabase();
  const newer = '0005_people_and_audit_chain';
  const migration = migrations[newer];
  if (migration === undefined) throw new Error('no such migration');
  const later = Object.entries(migrations).filter(([name]) => name >= newer);
  for (const [name] of later) delete migrations[name];
  await (await openFile(file)).destroy();
  for (const [name, each] of later) migrations[name] = each;

  const before = new DatabaseSync(file);
  before.exec(`
    insert into people values ('1', 'owner@example.com', 'h1', 1, 1, null), ('2', 'alice@example.com', 'h2', 0, 1, null);
    insert into audit (id, at, event, email, detail) values (3, 5, 'invited', 'alice@example.com', '{"admin":false}');
    insert into audit (id, at, event, email, key_id, session_id, ip, detail)
      values (7, 6, 'session-revoked', 'alice@example.com', 'k', 's', '192.0.2.1', '{"reason":"signed out"}');
  `);
  before.close();

  const store = await openFile(file);
  await addAudit(store, 9, { event: 'signed-in', actor: 'alice@example.com' });
  expect(await store.selectFrom('people').select(['email', 'role']).orderBy('id').execute()).toEqual([
    { email: 'owner@example.com', role: 'owner' },
    { email: 'alice@example.com', role: 'member' },
  ]);
  const rows = await store.selectFrom('audit').selectAll().orderBy('id').execute();
  expect(rows.map(({ id, at, event, subject }) => [id, at, event, subject])).toEqual([
    [1, 5, 'invited', 'alice@example.com'],
    [2, 6, 'session-ended', 'alice@example.com'],
    [3, 9, 'signed-in', null],
  ]);
  let hash = '';
  for (const { hash: found, ...fields } of rows) {
    hash = chainHash(hash, fields);
    expect(found).toBe(hash);
  }
  expect(await store.selectFrom('audit_head').selectAll().execute()).toEqual([
    { id: 1, last_id: 3, last_hash: hash, base_id: 0, base_hash: '' },
  ]);
  await store.destroy();
});
