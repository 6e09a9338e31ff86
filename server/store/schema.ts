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
  web_sessions: WebSessionsTable;
  dpop_proofs: DpopProofsTable;
  signing_keys: SigningKeysTable;
  oidc_payloads: OidcPayloadsTable;
  audit: AuditTable;
  audit_head: AuditHeadTable;
  audit_windows: AuditWindowsTable;
  server: ServerTable;
  fido_metadata: FidoMetadataTable;
  schema_version: SchemaVersionTable;
  public_documents: PublicDocumentsTable;
  rate_limits: RateLimitsTable;
  leases: LeasesTable;
}

/** A person, known by an e-mail address in lower case. */
interface PeopleTable {
  id: string;
  email: string;
  /** WebAuthn's user handle, base64url: random, so that a lost key does not reveal its owner. */
  user_handle: string;
  role: PersonRole;
  created_at: number;
  disabled_at: number | null;
  /** From then on the person is shut out; null for no end. */
  ends_at: number | null;
  /** When somebody with one key was last advised to add a spare. */
  suggested_at: number | null;
}

/** Owners administer the server. */
export type PersonRole = 'member' | 'owner';

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
  /** What the key proved of its model: JSON `{fmt, x5c}` with certificates in base64; null when it showed none. */
  attestation: string | null;
  created_at: number;
  last_used_at: number | null;
  removed_at: number | null;
}

interface InvitationsTable {
  id: string;
  code_hash: string;
  email: string;
  role: PersonRole;
  /** 1 when the new key takes the place of all others: for somebody who has lost them. */
  replace_keys: number;
  /** The end date that the person gets. */
  ends_at: number | null;
  /** The actor, as in the audit trail. */
  invited_by: string;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  revoked_at: number | null;
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
  /** The terminal's answer, whether the page shows these words, or that the person cancelled on the page. */
  answer: 'yes' | 'no' | 'cancelled' | null;
  user_handle: string;
  /** 1 when the first owner's link began it: nobody else gets in before. */
  owner_link: number;
  /** What began it, for the person. */
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
  /** What it is bound to: an interaction, an enrolment, a web session. */
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
  /** Why it was ended before its time. */
  end_reason: EndReason | null;
  /** 1 when this sign-in advises the person to add a spare key. */
  suggest_spare: number;
}

export type EndReason =
  | 'signed-out'
  | 'ended-by-person'
  | 'ended-by-administrator'
  | 'not-me'
  | 'key-removed'
  | 'keys-replaced'
  | 'person-disabled'
  | 'person-removed'
  | 'end-date'
  | 'code-replayed'
  | 'sign-in-unfinished';

/** A browser that has my account open. Its cookie and its page's secret only work together. Ended ones are deleted. */
interface WebSessionsTable {
  id: string;
  cookie_hash: string;
  page_hash: string;
  person_id: string;
  key_id: string;
  /** The browser's name for people, if it was recognised. */
  browser: string | null;
  ip: string | null;
  /** The last touch. */
  touched_at: number;
  /** The last request. */
  seen_at: number;
  expires_at: number;
}

/** DPoP proofs that our API has seen, so that it accepts none twice. */
interface DpopProofsTable {
  proof_hash: string;
  expires_at: number;
}

/** The issuer's keys, also those that are gone: what they signed long ago can still be checked. */
export interface SigningKeysTable {
  kid: string;
  /** One key at most is next (published, but does not sign yet), and one is current; previous ones are still published. */
  state: 'next' | 'current' | 'previous' | 'gone';
  /**
   * The JWK as a JWE (RFC 7516) under the master key. It has the private half only while the key is next or current, and if that is in
   * the database at all.
   */
  jwe: string;
  /** Where the private half is: 'database', or 'awskms:' and the ARN of a KMS key. */
  source: string;
  created_at: number;
  published_at: number;
  /** When a next key may sign at the earliest. */
  signs_from: number | null;
  current_at: number | null;
  previous_at: number | null;
  gone_at: number | null;
  /** When an administrator revoked it. */
  revoked_at: number | null;
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

/** What happened, row by row. Rows are only added, and each contains the hash of the one before (server/audit/chain.ts). */
interface AuditTable {
  /** 1, 2, 3 … without gaps. */
  id: number;
  at: number;
  event: string;
  result: 'done' | 'refused';
  reason: string | null;
  /** Who did it: a person's address, `cli:<system user>`, `server`, or `unknown` for a stranger. */
  actor: string;
  /** Whom it concerns: an address. */
  subject: string | null;
  ip: string | null;
  machine: string | null;
  key_id: string | null;
  session_id: string | null;
  request_id: string | null;
  /** A JSON object, without secrets. */
  detail: string;
  hash: string;
}

/** One row, with ID 1: both ends of the chain. */
interface AuditHeadTable {
  id: number;
  last_id: number;
  last_hash: string;
  /** The last row that was deleted for its age: the chain begins after it. */
  base_id: number;
  base_hash: string;
}

/** Counts of refusals. Anybody can cause one, so all of a kind within an hour share one row, which then becomes one of the trail. */
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
  /** Only in a backup: the moment whose state it holds. */
  backed_up_at: number | null;
  /** The issuer that AWS's tokens name, since a server last started; null before the first has. */
  aws_issuer: string | null;
}

/** One row, with ID 1: what AWS would have read when a server last looked (server/public-documents/found.ts). */
interface PublicDocumentsTable {
  id: number;
  /** Whose documents they are. */
  aws_issuer: string;
  looked_at: number;
  /** JSON. */
  found: string;
}

/** One row, with ID 1: the latest verified edition of FIDO's metadata. */
interface FidoMetadataTable {
  id: number;
  number: number;
  /** A JWT (FIDO Metadata Service v3.1, section 3.1.7). */
  blob: string;
  /** The file or the URL that it is from. */
  source: string;
  fetched_at: number;
}

/** Requests that all instances count together (server/http/shared-rate-limit-store.ts). */
interface RateLimitsTable {
  /** The limit's name and the client's address. */
  client: string;
  hits: number;
  /** When the minute ends that they are counted for. */
  ends_at: number;
}

/** Work that one of several instances does (server/store/lease.ts). */
interface LeasesTable {
  work: string;
  /** The instance that does it. */
  holder: string;
  /** When it last said so. */
  taken_at: number;
}

/** One row, with ID 1: which servers can use this schema (server/store/schema-version.ts). */
interface SchemaVersionTable {
  id: number;
  /** The last migration that a server must know. */
  oldest: string;
}
