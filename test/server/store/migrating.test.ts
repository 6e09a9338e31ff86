import { expect, test } from 'vitest';
import { chainHash } from '../../../server/audit/chain.ts';
import { chooseEngine } from '../../../server/store/choose-engine.ts';
import { migrations } from '../../../server/store/migrations/index.ts';
import { newDatabaseUrl, openStore, runStatements } from '../engines.ts';
import { addAudit } from '../rows.ts';

/** Makes a database as it was before a migration. */
async function databaseBefore(migration: string): Promise<string> {
  const url = await newDatabaseUrl('empty');
  const later = Object.entries(migrations).filter(([name]) => name >= migration);
  expect(later[0]?.[0]).toBe(migration);
  for (const [name] of later) delete migrations[name];
  await (await chooseEngine(url).open()).destroy();
  for (const [name, each] of later) migrations[name] = each;
  return url;
}

test('rows from before the chain become its beginning, and roles come from the old column', async () => {
  const url = await databaseBefore('0005_people_and_audit_chain');
  await runStatements(
    url,
    `    insert into people values ('1', 'owner@example.com', 'h1', 1, 1, null), ('2', 'alice@example.com', 'h2', 0, 1, null);
    insert into audit (id, at, event, email, detail) values (3, 5, 'invited', 'alice@example.com', '{"admin":false}');
    insert into audit (id, at, event, email, key_id, session_id, ip, detail)
      values (7, 6, 'session-revoked', 'alice@example.com', 'k', 's', '192.0.2.1', '{"reason":"signed out"}');
  `,
  );

  const store = await openStore(url);
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
});

test('an owner’s link from before its mark is still one, and nothing else becomes one', async () => {
  const url = await databaseBefore('0008_owner_link');
  const clients = ['a link that the server printed', 'Vouch CLI', 'this browser'];
  await runStatements(
    url,
    "insert into invitations (id, code_hash, email, created_at, expires_at) values ('i', 'c', 'e', 1, 2)",
    ...clients.map(
      (client) =>
        `insert into enrolments (ticket_hash, poll_hash, invitation_id, user_handle, client, created_at, expires_at)
         values ('${client}', '${client}', 'i', 'h', '${client}', 1, 2)`,
    ),
  );
  const store = await openStore(url);
  const marked = await store.selectFrom('enrolments').where('owner_link', '=', 1).select('client').execute();
  expect(marked).toEqual([{ client: 'a link that the server printed' }]);
});
