import { type RawBuilder, sql } from 'kysely';
import { readConfig } from '../../../server/config/config.ts';
import { openForServing } from '../../../server/store/open-for-issuer.ts';
import type { Store } from '../../../server/store/store.ts';
import { keyRow, personRow } from '../../server/rows.ts';
import type { ActivePerson } from './load.ts';

const HOUR_MS = 3600_000;

/** How many people one statement adds. */
const BATCH = 20_000;

/**
 * Makes a database with so many people, each with a key, a session and two rows in the audit trail, and those who will sign in among
 * them. Its statements are ones that both engines understand, and make the rows inside the database.
 *
 * The trail's hashes are made up: only `audit verify` would notice.
 */
export async function seed(
  settings: Record<string, string>,
  count: number,
  active: readonly ActivePerson[],
): Promise<void> {
  const now = Date.now();
  const { database, issuer } = readConfig(settings);
  const store = await openForServing(database, issuer, now);
  try {
    for (let from = 1; from <= count - active.length; from += BATCH) {
      await addOthers(store, { from, to: Math.min(from + BATCH - 1, count - active.length) }, now);
    }
    await store.transaction().execute(async (transaction) => {
      for (const [place, { keyId, userHandle, publicKey }] of active.entries()) {
        const id = await personId(transaction, count + place);
        const role = place === 0 ? 'owner' : 'member';
        const person = personRow(id, `active${place}@example.com`, { user_handle: userHandle, role });
        const key = keyRow(keyId, id, { public_key: publicKey });
        await transaction.insertInto('people').values(person).execute();
        await transaction.insertInto('keys').values(key).execute();
      }
      const rows = 2 * Math.max(0, count - active.length);
      await transaction.updateTable('audit_head').set({ last_id: rows, last_hash: 'hash' }).execute();
    });
    // As autovacuum does it. SQLite has no statistics unless somebody asks for them.
    if (database.kind === 'postgres') await sql`vacuum analyze`.execute(store);
  } finally {
    await store.destroy();
  }
}

/** A name without order, as random ones are: multiplied by an odd number, no two numbers below 2^32 become the same. */
const scattered = sql`cast((n * 2654435761) % 4294967296 as text)`;

async function personId(store: Store, number: number): Promise<string> {
  const from = sql`(select cast(${sql.lit(number)} as bigint) as n) as one`;
  const { rows } = await sql<{ id: string }>`select ${scattered} || '-person' as id from ${from}`.execute(store);
  return rows[0]?.id ?? '';
}

/** Adds people with a range of numbers, and their two rows of the audit trail. */
async function addOthers(store: Store, { from, to }: { from: number; to: number }, now: number): Promise<void> {
  const numbers = sql`with recursive numbers (n) as
    (select cast(${sql.lit(from)} as bigint) union all select n + 1 from numbers where n < ${sql.lit(to)})`;
  const [person, key, email] = [
    sql`${scattered} || '-person'`,
    sql`${scattered} || '-key'`,
    sql`'person' || cast(n as text) || '@example.com'`,
  ];
  const [time, end] = [sql.lit(now - HOUR_MS), sql.lit(now + 7 * HOUR_MS)];
  const row = (id: RawBuilder<unknown>, event: string) =>
    sql`${numbers} insert into audit
      (id, at, event, result, actor, subject, ip, machine, key_id, session_id, request_id, detail, hash)
      select ${id}, ${time}, ${sql.lit(event)}, 'done', ${email}, ${email}, '192.0.2.1', 'laptop', ${key},
        ${scattered} || '-session', 'request', '{}', 'hash' from numbers`;
  await store.transaction().execute(async (transaction) => {
    for (const statement of [
      sql`${numbers} insert into people (id, email, user_handle, role, created_at)
        select ${person}, ${email}, ${scattered} || '-handle', 'member', ${time} from numbers`,
      sql`${numbers} insert into keys (id, person_id, name, aaguid, public_key, counter, transports, created_at)
        select ${key}, ${person}, 'Work key', '', '', 0, '[]', ${time} from numbers`,
      sql`${numbers} insert into sessions (id, person_id, key_id, grant_id, machine, auth_time, expires_at)
        select ${scattered} || '-session', ${person}, ${key}, ${scattered} || '-grant', 'laptop', ${time}, ${end} from numbers`,
      row(sql`2 * n - 1`, 'signed-in'),
      row(sql`2 * n`, 'aws-token-issued'),
    ]) {
      await statement.execute(transaction);
    }
  });
}
