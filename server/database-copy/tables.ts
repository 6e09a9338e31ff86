import type { Schema } from '../store/schema.ts';

type Table = keyof Schema;

/**
 * What becomes of each table, in the order in which rows may be added: one that others refer to comes before them. `key` is the primary key:
 * rows are read in its order.
 */
const TABLES: { [Name in Table]: { key: readonly (keyof Schema[Name] & string)[] } | 'left' } = {
  server: { key: ['id'] },
  people: { key: ['id'] },
  keys: { key: ['id'] },
  invitations: { key: ['id'] },
  enrolments: { key: ['ticket_hash'] },
  challenges: { key: ['challenge_hash'] },
  sessions: { key: ['id'] },
  web_sessions: { key: ['id'] },
  dpop_proofs: { key: ['proof_hash'] },
  signing_keys: { key: ['kid'] },
  oidc_payloads: { key: ['model', 'id_hash'] },
  audit: { key: ['id'] },
  audit_windows: { key: ['began_at', 'event', 'problem', 'email', 'key_id'] },
  fido_metadata: { key: ['id'] },
  public_documents: { key: ['id'] },
  rate_limits: { key: ['client'] },
  // Each database has its one row from the beginning (`copy.ts`).
  audit_head: 'left',
  // Of the schema, not of the team.
  schema_version: 'left',
  // Who works at the moment.
  leases: 'left',
};

/** A table that is copied, and its primary key. */
export interface CopiedTable {
  name: Table;
  key: readonly string[];
}

/** The tables that are copied, in their order. */
export const copiedTables: readonly CopiedTable[] = (Object.keys(TABLES) as Table[]).flatMap((name) => {
  const how = TABLES[name];
  return how === 'left' ? [] : [{ name, key: how.key }];
});
