import type { Generated } from 'kysely';

/**
 * The tables. Times are milliseconds since the epoch, hashes SHA-256 in base64url. Secrets are stored as hashes, and the signing key
 * encrypted. The types are ones that SQLite and PostgreSQL both have.
 */
export interface Schema {
  people: PeopleTable;
  keys: KeysTable;
  invitations: InvitationsTable;
  enrolments: EnrolmentsTable;
  challenges: ChallengesTable;
  sessions: SessionsTable;
  dpop_proofs: DpopProofsTable;
  signing_keys: SigningKeysTable;
  oidc_payloads: OidcPayloadsTable;
  audit: AuditTable;
  audit_windows: AuditWindowsTable;
  server: ServerTable;
}

/** A person, known by an e-mail address in lower case. */
interface PeopleTable {
  id: string;
  email: string;
  /** WebAuthn's user handle, base64url: random, so that a lost key does not reveal its owner. */
  user_handle: string;
  admin: number;
  created_at: number;
  disabled_at: number | null;
}

/** A security key: one WebAuthn credential. */
interface KeysTable {
  /** WebAuthn's credential ID, base64url. */
  id: string;
  person_id: string;
  name: string;
  model: string | null;
  aaguid: string;
  /** COSE public key, base64url. */
  public_key: string;
  counter: number;
  /** A JSON array. */
  transports: string;
  created_at: number;
  last_used_at: number | null;
  removed_at: number | null;
}

interface InvitationsTable {
  id: string;
  code_hash: string;
  email: string;
  admin: number;
  created_at: number;
  expires_at: number;
  used_at: number | null;
}

/** A running enrolment: started with an invitation, bound to the first page that opens it, approved in the terminal. */
interface EnrolmentsTable {
  ticket_hash: string;
  poll_hash: string;
  invitation_id: string;
  /** Hash of the secret that the first page to open it got. */
  browser_hash: string | null;
  /** The words that this page and the terminal both show; null without a terminal. */
  words: string | null;
  /** The terminal's answer: whether the page shows these words. */
  answer: 'yes' | 'no' | null;
  user_handle: string;
  client: string;
  machine: string | null;
  key_name: string | null;
  /** The existing key that confirmed the new one. */
  confirmed_key_id: string | null;
  /** The key that was enrolled. */
  key_id: string | null;
  created_at: number;
  expires_at: number;
}

interface ChallengesTable {
  challenge_hash: string;
  purpose: string;
  /** The interaction or enrolment that it is bound to. */
  binding: string;
  expires_at: number;
}

interface SessionsTable {
  id: string;
  person_id: string;
  key_id: string;
  grant_id: string | null;
  machine: string | null;
  auth_time: number;
  expires_at: number;
  revoked_at: number | null;
}

/** DPoP proofs that our API has seen, so that it accepts none twice. */
interface DpopProofsTable {
  proof_hash: string;
  expires_at: number;
}

interface SigningKeysTable {
  kid: string;
  /** 'current' for the key that signs. */
  state: string;
  /** The private JWK as a JWE (RFC 7516) under the master key. */
  jwe: string;
  created_at: number;
}

/** What oidc-provider stores: one row for each model instance. */
interface OidcPayloadsTable {
  model: string;
  id_hash: string;
  payload: string;
  grant_id: string | null;
  uid: string | null;
  user_code: string | null;
  consumed_at: number | null;
  expires_at: number | null;
}

interface AuditTable {
  id: Generated<number>;
  at: number;
  event: string;
  email: string | null;
  key_id: string | null;
  session_id: string | null;
  ip: string | null;
  /** A JSON object, without secrets. */
  detail: string;
}

/** Counts of refusals. Anybody can cause one, so all of a kind within an hour share one row. */
interface AuditWindowsTable {
  began_at: number;
  event: string;
  problem: string;
  /** The invited person's address, or the key owner's; empty for a stranger. */
  email: string;
  /** Empty unless the key is enrolled here. */
  key_id: string;
  count: number;
  last_at: number;
  last_ip: string | null;
}

/** One row, with ID 1: the server that this database belongs to. */
interface ServerTable {
  id: number;
  issuer: string;
  /** When `/readyz` last checked that the database can be written. */
  written_at: number;
}
