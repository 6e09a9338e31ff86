import { isoTime } from '../text/iso-time.ts';
import { type AuditEvent, EVENTS } from './events.ts';
import { detailOf } from './json.ts';
import type { Row } from './rows.ts';

/** The version of the Open Cybersecurity Schema Framework (schema.ocsf.io) whose names and numbers these are. */
const VERSION = '1.5.0';

const CLASSES = {
  base: { uid: 0, name: 'Base Event', category: 'Uncategorized' },
  accountChange: { uid: 3001, name: 'Account Change', category: 'Identity & Access Management' },
  authentication: { uid: 3002, name: 'Authentication', category: 'Identity & Access Management' },
  authorizeSession: { uid: 3003, name: 'Authorize Session', category: 'Identity & Access Management' },
  entityManagement: { uid: 3004, name: 'Entity Management', category: 'Identity & Access Management' },
  userAccess: { uid: 3005, name: 'User Access Management', category: 'Identity & Access Management' },
  eventLogActivity: { uid: 1008, name: 'Event Log Activity', category: 'System Activity' },
} as const;

/** The normalized severities that we use. */
const SEVERITY = { informational: 1, low: 2, medium: 3, high: 4 } as const;

interface Mapping {
  class: keyof typeof CLASSES;
  /** The class's `activity_id` and its caption; 99 with a name of ours if the class has none that fits. */
  activity: readonly [number, string];
  severity?: keyof typeof SEVERITY;
}

/** What each event is in OCSF. */
const MAPPINGS: Record<AuditEvent, Mapping> = {
  invited: { class: 'entityManagement', activity: [1, 'Create'] },
  'invitation-revoked': { class: 'entityManagement', activity: [4, 'Delete'] },
  enrolled: { class: 'accountChange', activity: [10, 'MFA Factor Enable'] },
  'enrolment-denied': { class: 'accountChange', activity: [10, 'MFA Factor Enable'], severity: 'medium' },
  'enrolment-refused': { class: 'accountChange', activity: [10, 'MFA Factor Enable'], severity: 'low' },
  'enrolment-cancelled': { class: 'accountChange', activity: [10, 'MFA Factor Enable'] },
  'signed-in': { class: 'authentication', activity: [1, 'Logon'] },
  'sign-in-refused': { class: 'authentication', activity: [1, 'Logon'], severity: 'low' },
  'session-ended': { class: 'authentication', activity: [2, 'Logoff'] },
  'web-session-began': { class: 'authentication', activity: [1, 'Logon'] },
  'web-session-renewed': { class: 'authentication', activity: [99, 'Renew a session with another touch'] },
  'web-session-ended': { class: 'authentication', activity: [2, 'Logoff'] },
  'reported-not-me': { class: 'accountChange', activity: [99, 'Report a session as not their own'], severity: 'high' },
  'aws-token-issued': { class: 'authorizeSession', activity: [1, 'Assign Privileges'] },
  'aws-issuer-changed': { class: 'entityManagement', activity: [3, 'Update'] },
  'aws-deny-printed': { class: 'accountChange', activity: [99, 'Print a denial of AWS credentials'] },
  'person-disabled': { class: 'accountChange', activity: [5, 'Disable'] },
  'person-enabled': { class: 'accountChange', activity: [2, 'Enable'] },
  'person-removed': { class: 'accountChange', activity: [6, 'Delete'] },
  'person-promoted': { class: 'userAccess', activity: [1, 'Assign Privileges'] },
  'person-demoted': { class: 'userAccess', activity: [2, 'Revoke Privileges'] },
  'person-end-set': { class: 'accountChange', activity: [99, 'Set an end date'] },
  'key-removed': { class: 'accountChange', activity: [11, 'MFA Factor Disable'] },
  'key-renamed': { class: 'accountChange', activity: [99, 'Rename a security key'] },
  'signing-key-published': { class: 'entityManagement', activity: [1, 'Create'] },
  'signing-key-advanced': { class: 'entityManagement', activity: [3, 'Update'] },
  'signing-key-current': { class: 'entityManagement', activity: [10, 'Activate'] },
  'signing-key-retired': { class: 'entityManagement', activity: [11, 'Deactivate'] },
  'signing-key-revoked': { class: 'entityManagement', activity: [9, 'Disable'], severity: 'high' },
  'master-key-changed': { class: 'entityManagement', activity: [3, 'Update'], severity: 'high' },
  'audit-trimmed': { class: 'eventLogActivity', activity: [2, 'Delete'] },
  'database-restored': { class: 'eventLogActivity', activity: [99, 'Restore from a backup'], severity: 'high' },
  'database-copied': { class: 'eventLogActivity', activity: [99, 'Copy to another database'] },
};

/** Which server's events they are. */
export interface Origin {
  issuer: string;
  /** The version of Vouch. */
  version: string;
}

/**
 * A row as an event of the Open Cybersecurity Schema Framework. `metadata.uid` and `metadata.sequence` are the row's number; whatever has
 * no place in the schema is in `unmapped`.
 */
export function rowOcsf(row: Row, origin: Origin): Record<string, unknown> {
  // Without one: a row of a newer version of Vouch, or one that somebody else has written.
  const mapping: Mapping = Object.hasOwn(MAPPINGS, row.event)
    ? MAPPINGS[row.event as AuditEvent]
    : { class: 'base', activity: [99, row.event] };
  return withoutEmpty({ ...common(row, origin, mapping), ...ofClass(row, origin, mapping), ...details(row) });
}

function common(row: Row, { issuer, version }: Origin, mapping: Mapping) {
  const { uid, name, category } = CLASSES[mapping.class];
  const [activity, caption] = mapping.activity;
  const severity = mapping.severity ?? 'informational';
  const at = Number(row.at);
  const done = row.result === 'done';
  return {
    category_uid: Math.floor(uid / 1000),
    category_name: category,
    class_uid: uid,
    class_name: name,
    activity_id: activity,
    activity_name: caption,
    type_uid: uid * 100 + activity,
    type_name: `${name}: ${caption}`,
    severity_id: SEVERITY[severity],
    severity: severity.charAt(0).toUpperCase() + severity.slice(1),
    ...times(row, at),
    status_id: done ? 1 : 2,
    status: done ? 'Success' : 'Failure',
    status_detail: row.reason,
    message: mapping.class === 'base' ? row.event : EVENTS[row.event as AuditEvent].means,
    metadata: {
      version: VERSION,
      uid: String(row.id),
      sequence: row.id,
      original_time: isoTime(at),
      logged_time: at,
      event_code: row.event,
      correlation_uid: row.request_id,
      log_name: 'audit',
      log_provider: 'vouch-server',
      product: { name: 'Vouch', vendor_name: 'Vouch', uid: 'vouch-server', version, url_string: issuer },
    },
    actor: mapping.class === 'base' ? null : actorOf(row),
    src_endpoint:
      mapping.class === 'base' || (row.ip === null && row.machine === null) ? null : { ip: row.ip, name: row.machine },
  };
}

/** A count of refusals has a beginning and an end, and is sorted in by its beginning. */
function times(row: Row, at: number) {
  const { count, since, lastAt } = detailOf(row);
  if (typeof count !== 'number' || typeof since !== 'number' || typeof lastAt !== 'number') return { time: at };
  return { time: since, count, start_time: since, end_time: lastAt, duration: lastAt - since };
}

function actorOf({ actor }: Row) {
  if (actor === 'server') return { app_name: 'vouch-server' };
  if (actor === 'unknown') return null;
  if (!actor.startsWith('cli:')) return { user: userOf(actor) };
  return {
    app_name: 'vouch-server',
    user: { name: actor.slice('cli:'.length), uid: actor, type_id: 2, type: 'Admin' },
  };
}

function userOf(address: string | undefined, keyId: string | null = null) {
  if (address === undefined) return { name: 'unknown', type_id: 0, type: 'Unknown', credential_uid: keyId };
  return { name: address, uid: address, email_addr: address, type_id: 1, type: 'User', credential_uid: keyId };
}

function ofClass(row: Row, { issuer }: Origin, mapping: Mapping): Record<string, unknown> {
  const user = userOf(row.subject ?? undefined, row.key_id);
  const session =
    row.session_id === null ? null : { uid: row.session_id, issuer, is_mfa: true, credential_uid: row.key_id };
  switch (mapping.class) {
    case 'authentication':
      return {
        user,
        session: session && { ...session, expiration_reason: mapping.activity[0] === 2 ? row.reason : null },
        service: { name: 'Vouch', uid: issuer },
        auth_protocol_id: 4,
        auth_protocol: 'OpenID',
        logon_type_id: 3,
        logon_type: 'Network',
        is_mfa: true,
        is_remote: true,
        auth_factors: [{ factor_type_id: 10, factor_type: 'WebAuthn' }],
      };
    case 'authorizeSession':
      return { user, session, privileges: [String(detailOf(row).role)] };
    case 'userAccess':
      return { user, privileges: ['owner'] };
    case 'accountChange':
      return { user };
    case 'entityManagement':
      return { entity: entityOf(row, user) };
    case 'eventLogActivity':
      return { log_name: 'audit', log_provider: 'vouch-server', log_type: 'Application', log_type_id: 2 };
    case 'base':
      return {};
  }
}

function entityOf(row: Row, user: ReturnType<typeof userOf>) {
  if (row.event === 'master-key-changed') return { name: 'master key', type: 'Master key', type_id: 99 };
  const { kid, after } = detailOf(row);
  if (row.event === 'aws-issuer-changed') return { name: String(after), type: 'Issuer for AWS', type_id: 99 };
  return typeof kid === 'string'
    ? { name: kid, type: 'Signing key', type_id: 99 }
    : { name: user.name, type: 'Invitation', type_id: 99, user };
}

function details(row: Row) {
  return { unmapped: { hash: row.hash, detail: detailOf(row) } };
}

/** Removes members that are null, at any depth: in OCSF, what is not known is not there. */
function withoutEmpty(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .map(([name, member]) => [
        name,
        // The detail is ours, not the schema's.
        typeof member === 'object' && !Array.isArray(member) && name !== 'detail'
          ? withoutEmpty(member as Record<string, unknown>)
          : member,
      ]),
  );
}
