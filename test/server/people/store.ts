import { onTestFinished } from 'vitest';
import type { By } from '../../../server/audit/audit.ts';
import { chooseEngine } from '../../../server/store/choose-engine.ts';
import { openForServing } from '../../../server/store/open-for-issuer.ts';
import type { Schema } from '../../../server/store/schema.ts';
import type { Store, StoreTransaction } from '../../../server/store/store.ts';
import { newDatabaseUrl } from '../engines.ts';
import { keyRow, personRow } from '../rows.ts';

/** A moment for tests: 12 November 2026, 10:42 UTC. */
export const NOW = Date.UTC(2026, 10, 12, 10, 42);

export const DAY = 24 * 3600_000;

/** An administrator on the command line, root through sudo. */
export const BY: By = { actor: 'cli:root', sudoUser: 'admin' };

export const ISSUER = 'http://localhost:3000';

/** A new database, as the server makes it. */
export async function newStore(url?: string): Promise<Store> {
  const store = await openForServing(chooseEngine(url ?? (await newDatabaseUrl())), ISSUER, NOW);
  onTestFinished(() => store.destroy());
  return store;
}

type Person = Parameters<typeof personRow>[2];

/** Adds a person named after the first part of their address, with so many keys: `alice-1`, `alice-2` … */
export async function addPerson(store: Store, email: string, keys: number, other: Person = {}): Promise<string> {
  const [id = ''] = email.split('@', 1);
  await store
    .insertInto('people')
    .values(personRow(id, email, other))
    .execute();
  for (let number = 1; number <= keys; number += 1) {
    const key = keyRow(`${id}-${number}`, id, { name: `Key ${number}`, created_at: number });
    await store.insertInto('keys').values(key).execute();
  }
  return id;
}

/** A browser that has my account open, with a request at this moment. */
export const webSessionRow = (id: string, personId: string, keyId: string, at: number): Schema['web_sessions'] => ({
  id,
  cookie_hash: `cookie of ${id}`,
  page_hash: '',
  person_id: personId,
  key_id: keyId,
  browser: 'Firefox on Linux',
  ip: null,
  touched_at: at,
  seen_at: at,
  expires_at: at + 60_000,
});

/** Runs one change, as a command does. */
export function change<Result>(
  store: Store,
  work: (transaction: StoreTransaction) => Promise<Result>,
): Promise<Result> {
  return store.transaction().execute(work);
}

/** What the audit trail says, without what is the same in all rows. */
export async function auditOf(store: Store) {
  const rows = await store.selectFrom('audit').selectAll().orderBy('id').execute();
  return rows.map(({ event, actor, subject, reason, key_id, session_id, detail }) => ({
    event,
    actor,
    subject,
    ...(reason === null ? {} : { reason }),
    ...(key_id === null ? {} : { key_id }),
    ...(session_id === null ? {} : { session_id }),
    detail: JSON.parse(detail) as unknown,
  }));
}
