/**
 * How a problem is to be taken, whatever it is about. An HTTP status follows from it (http/status.ts), and what a command ends with
 * (process/report.ts).
 */
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

/** Every problem that a request can be answered with, and its category: docs/http-api.md names them. */
export const OF_REQUESTS = {
  'interaction-over': 'over',
  'unknown-key': 'refused',
  'challenge-used': 'refused',
  'user-not-verified': 'refused',
  'counter-went-back': 'refused',
  'key-refused': 'refused',
  'assertion-refused': 'refused',
  'invitation-refused': 'refused',
  'other-browser': 'refused',
  'approval-needed': 'refused',
  'confirmation-needed': 'refused',
  'session-over': 'no-session',
  'token-refused': 'no-session',
  'role-refused': 'usage',
  'too-many-requests': 'too-many',
  'bad-request': 'usage',
  'not-found': 'not-found',
  'misdirected-request': 'misdirected',
  unavailable: 'unreachable',
  'internal-error': 'failed',
} as const satisfies Record<string, Category>;

/** Every problem that a command of vouch-server can end with. */
const OF_COMMANDS = {
  'setting-refused': 'usage',
  'option-refused': 'usage',
  'email-refused': 'usage',
  'database-refused': 'usage',
  'master-key-lost': 'usage',
  'signing-key-locked': 'failed',
  'listening-failed': 'failed',
  'pages-missing': 'failed',
  'node-too-old': 'failed',
} as const satisfies Record<string, Category>;

/** Every problem and its category; some may have another one here and there. */
export const KINDS = { ...OF_REQUESTS, ...OF_COMMANDS };

export type Kind = keyof typeof KINDS;
