import type { Kysely } from 'kysely';

/**
 * Keeps rows out of indexes that never lead to them: only a code has a grant, and nothing but a lookup by it needs its name. Each index
 * that a row is in is one more page for the disk when it is stored.
 *
 * Expands only: instances of the version before go on.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['grant_id', 'uid']) {
    const name = `oidc_payloads_${column.replace('_id', '')}`;
    await db.schema.dropIndex(name).execute();
    await db.schema
      .createIndex(name)
      .on('oidc_payloads')
      .column(column)
      .where(column as never, 'is not', null)
      .execute();
  }
}
