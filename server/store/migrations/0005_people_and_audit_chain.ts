import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';

/** How many audit rows are read and written at a time. */
const BATCH = 500;

/**
 * Roles and end dates of people, recovery by invitation, web sessions, and an audit trail whose rows are chained by hashes. It contracts: a
 * server of the version before cannot go on after it. None is running, because several could share a database only later.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await people(db);
  await invitations(db);
  await db.schema.alterTable('keys').addColumn('attestation', 'text').execute();
  await db.schema.createIndex('people_created').on('people').column('created_at').execute();

  await db.schema.alterTable('sessions').addColumn('end_reason', 'text').execute();
  await db.schema
    .alterTable('sessions')
    .addColumn('suggest_spare', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.createIndex('sessions_person').on('sessions').columns(['person_id', 'auth_time']).execute();
  await db.schema.createIndex('sessions_key').on('sessions').column('key_id').execute();
  await db.schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute();

  await db.schema
    .createTable('web_sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('cookie_hash', 'text', (c) => c.notNull().unique())
    .addColumn('page_hash', 'text', (c) => c.notNull())
    .addColumn('person_id', 'text', (c) => c.notNull().references('people.id'))
    .addColumn('key_id', 'text', (c) => c.notNull().references('keys.id'))
    .addColumn('browser', 'text')
    .addColumn('ip', 'text')
    .addColumn('touched_at', 'bigint', (c) => c.notNull())
    .addColumn('seen_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('web_sessions_person').on('web_sessions').column('person_id').execute();
  await db.schema.createIndex('web_sessions_key').on('web_sessions').column('key_id').execute();
  await db.schema.createIndex('web_sessions_expiry').on('web_sessions').column('expires_at').execute();

  await audit(db);
}

async function people(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('people')
    .addColumn('role', 'text', (c) => c.notNull().defaultTo('member'))
    .execute();
  await sql`update people set role = 'owner' where admin = 1`.execute(db);
  await db.schema.alterTable('people').dropColumn('admin').execute();
  await db.schema.alterTable('people').addColumn('ends_at', 'bigint').execute();
  await db.schema.alterTable('people').addColumn('suggested_at', 'bigint').execute();
}

async function invitations(db: Kysely<unknown>): Promise<void> {
  const table = () => db.schema.alterTable('invitations');
  await table()
    .addColumn('role', 'text', (c) => c.notNull().defaultTo('member'))
    .execute();
  await sql`update invitations set role = 'owner' where admin = 1`.execute(db);
  await table().dropColumn('admin').execute();
  await table()
    .addColumn('replace_keys', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await table().addColumn('ends_at', 'bigint').execute();
  await table()
    .addColumn('invited_by', 'text', (c) => c.notNull().defaultTo('server'))
    .execute();
  await table().addColumn('revoked_at', 'bigint').execute();
  await db.schema.createIndex('invitations_email').on('invitations').columns(['email', 'created_at']).execute();
}

interface OldRow {
  id: number;
  at: number;
  event: string;
  email: string | null;
  key_id: string | null;
  session_id: string | null;
  ip: string | null;
  detail: string;
}

async function audit(db: Kysely<unknown>): Promise<void> {
  await sql`alter table audit rename to audit_before`.execute(db);
  await db.schema.dropIndex('audit_at').execute();
  await db.schema.dropIndex('audit_session').execute();
  await db.schema
    .createTable('audit')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('result', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('subject', 'text')
    .addColumn('ip', 'text')
    .addColumn('machine', 'text')
    .addColumn('key_id', 'text')
    .addColumn('session_id', 'text')
    .addColumn('request_id', 'text')
    .addColumn('detail', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute();
  const head = await chainOldRows(db);
  await sql`drop table audit_before`.execute(db);
  // Rows are deleted by age; each new token counts its session's rows; people read their own, and one kind of event.
  await db.schema.createIndex('audit_at').on('audit').column('at').execute();
  await db.schema.createIndex('audit_session').on('audit').columns(['session_id', 'at']).execute();
  await db.schema.createIndex('audit_subject').on('audit').columns(['subject', 'id']).execute();
  await db.schema.createIndex('audit_event').on('audit').columns(['event', 'id']).execute();

  await db.schema
    .createTable('audit_head')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('last_id', 'bigint', (c) => c.notNull())
    .addColumn('last_hash', 'text', (c) => c.notNull())
    .addColumn('base_id', 'bigint', (c) => c.notNull())
    .addColumn('base_hash', 'text', (c) => c.notNull())
    .execute();
  await sql`insert into audit_head values (1, ${head.id}, ${head.hash}, 0, '')`.execute(db);
}

/** Gives the rows that are there already new numbers without gaps, and their hashes. The formula is server/audit/chain.ts's of this day. */
async function chainOldRows(db: Kysely<unknown>): Promise<{ id: number; hash: string }> {
  let head = { id: 0, hash: '' };
  let after = 0;
  for (;;) {
    const { rows } =
      await sql<OldRow>`select * from audit_before where id > ${after} order by id limit ${BATCH}`.execute(db);
    for (const row of rows) {
      after = row.id;
      const { at, email, key_id, session_id, ip, detail } = row;
      const event = row.event === 'session-revoked' ? 'session-ended' : row.event;
      const result = row.event === 'enrolment-denied' ? 'refused' : 'done';
      const actor = row.event === 'invited' ? 'server' : (email ?? 'server');
      const id = head.id + 1;
      const fields = [id, at, event, result, null, actor, email, ip, null, key_id, session_id, null, detail];
      const hash = createHash('sha256')
        .update(`${head.hash}\n${JSON.stringify(fields)}`)
        .digest('base64url');
      await sql`insert into audit values (${sql.join([...fields, hash])})`.execute(db);
      head = { id, hash };
    }
    if (rows.length < BATCH) return head;
  }
}
