import type { Generated } from 'kysely';

/**
 * The tables. Times are milliseconds since the epoch; hashes are SHA-256 in base64url; secrets are never stored, only their
 * hashes, and the signing key only encrypted. The types stay within what SQLite and PostgreSQL both have.
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
  /** WebAuthn's user handle, base64url: random, so that a lost key does not tell whose it is. */
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
  /** JSON array of transports. */
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

/** An enrolment under way: opened by an invitation, bound to the page that opens it first, agreed to in the terminal. */
interface EnrolmentsTable {
  ticket_hash: string;
  poll_hash: string;
  invitation_id: string;
  /** Of the secret that the first page to open it was given. */
  browser_hash: string | null;
  /** What that page and the terminal both show; missing where there is no terminal. */
  words: string | null;
  /** What the terminal said: whether the page shows these words. */
  answer: 'yes' | 'no' | null;
  user_handle: string;
  client: string;
  machine: string | null;
  key_name: string | null;
  /** The key that confirmed that this person agrees to another one. */
  confirmed_key_id: string | null;
  /** The key that came of it. */
  key_id: string | null;
  created_at: number;
  expires_at: number;
}

interface ChallengesTable {
  challenge_hash: string;
  purpose: string;
  /** What the challenge is bound to: an interaction or an enrolment. */
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

/** DPoP proofs seen at our own API, so that none is taken twice. */
interface DpopProofsTable {
  proof_hash: string;
  expires_at: number;
}

interface SigningKeysTable {
  kid: string;
  /** 'current' for the one key that signs. */
  state: string;
  /** The private JWK as a JWE (RFC 7516) under the master key. */
  jwe: string;
  created_at: number;
}

/** What oidc-provider stores: a row a model instance. */
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
  /** JSON object, never with a secret in it. */
  detail: string;
}

/** Refusals, counted: whoever likes can cause one, so there is one row for all of a kind within an hour. */
interface AuditWindowsTable {
  began_at: number;
  event: string;
  problem: string;
  /** The invited person or the key's; empty for a stranger. */
  email: string;
  /** Only of a key that is enrolled here; else empty. */
  key_id: string;
  count: number;
  last_at: number;
  last_ip: string | null;
}

/** One row, with ID 1: which server this database is of. */
interface ServerTable {
  id: number;
  issuer: string;
  /** When `/readyz` last tried whether the database can be written. */
  written_at: number;
}
