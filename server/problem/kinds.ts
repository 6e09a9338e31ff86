/** What sort of problem it is. It decides the HTTP status (http/status.ts) and a command's exit code (process/print-error.ts). */
export type Category =
  | 'usage'
  | 'no-session'
  | 'refused'
  | 'not-found'
  | 'conflict'
  | 'over'
  | 'too-long'
  | 'misdirected'
  | 'too-many'
  | 'unreachable'
  | 'failed';

/** Every problem that can answer a request, with its category. docs/http-api.md lists them. */
export const OF_REQUESTS = {
  'interaction-over': 'over',
  'unknown-key': 'refused',
  'challenge-used': 'refused',
  'user-not-verified': 'refused',
  'counter-went-back': 'refused',
  'key-refused': 'refused',
  'assertion-refused': 'refused',
  'invitation-refused': 'refused',
  'person-shut-out': 'refused',
  'owner-missing': 'refused',
  'owner-link-over': 'refused',
  'other-browser': 'refused',
  'approval-needed': 'refused',
  'already-enrolled': 'conflict',
  cancelled: 'over',
  'confirmation-needed': 'refused',
  'touch-needed': 'refused',
  'last-key': 'conflict',
  'too-many-keys': 'conflict',
  'name-taken': 'conflict',
  'session-over': 'no-session',
  'web-session-over': 'no-session',
  'token-refused': 'no-session',
  'role-refused': 'usage',
  'too-many-requests': 'too-many',
  'bad-request': 'usage',
  'not-found': 'not-found',
  'misdirected-request': 'misdirected',
  unavailable: 'unreachable',
  'internal-error': 'failed',
} as const satisfies Record<string, Category>;

/** Every problem that can end a command of `vouch-server`, with its category. */
const OF_COMMANDS = {
  'setting-refused': 'usage',
  'option-refused': 'usage',
  'email-refused': 'usage',
  'list-refused': 'usage',
  'invitation-unknown': 'not-found',
  'person-unknown': 'not-found',
  'key-unknown': 'not-found',
  'session-unknown': 'not-found',
  'last-owner': 'conflict',
  'not-confirmed': 'failed',
  'database-refused': 'usage',
  'database-in-use': 'conflict',
  'backup-failed': 'failed',
  'backup-refused': 'refused',
  'metadata-refused': 'failed',
  'policy-refused': 'refused',
  'master-key-lost': 'usage',
  'master-key-not-lost': 'conflict',
  'signing-key-locked': 'failed',
  'kms-refused': 'refused',
  'kms-unreachable': 'unreachable',
  'signing-key-unknown': 'not-found',
  'signing-key-unchanged': 'conflict',
  'audit-broken': 'failed',
  'checkpoint-refused': 'refused',
  'cursor-ahead': 'conflict',
  'listening-failed': 'failed',
  'pages-missing': 'failed',
  'documents-not-written': 'failed',
  'documents-differ': 'failed',
  'check-failed': 'failed',
  'node-too-old': 'failed',
} as const satisfies Record<string, Category>;

export const KINDS = { ...OF_REQUESTS, ...OF_COMMANDS };

export type Kind = keyof typeof KINDS;
