/**
 * The category of a failure, for scripts. `usage`: the command line is wrong. `no-session`: a login is needed. `unreachable`: it may
 * work later. `refused`: the server or AWS decided so. `failed`: all the rest.
 */
export type Category = 'usage' | 'no-session' | 'unreachable' | 'refused' | 'failed';

/** The problems of a Vouch server (docs/http-api.md, "Problems"): `urn:vouch:problem:<kind>`. */
const ofServer = {
  'interaction-over': 'refused',
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
  'already-enrolled': 'refused',
  cancelled: 'refused',
  'confirmation-needed': 'refused',
  'touch-needed': 'no-session',
  'last-key': 'refused',
  'too-many-keys': 'refused',
  'name-taken': 'refused',
  'session-over': 'no-session',
  'web-session-over': 'refused',
  'token-refused': 'refused',
  'role-refused': 'refused',
  'too-many-requests': 'unreachable',
  'bad-request': 'failed',
  'not-found': 'refused',
  'misdirected-request': 'refused',
  unavailable: 'unreachable',
  'internal-error': 'failed',
} as const satisfies Record<string, Category>;

const ours = {
  // The command line, the settings and the questions.
  usage: 'usage',
  config: 'failed',
  'no-input': 'failed',
  'no-server': 'usage',
  'not-written': 'failed',
  output: 'failed',
  'server-url': 'usage',
  'timed-out': 'failed',

  // The machine.
  'cannot-run': 'failed',
  'file-of-others': 'failed',
  'engine-elsewhere': 'failed',
  folder: 'failed',
  'no-engine': 'failed',
  'no-home': 'failed',
  'no-program': 'usage',
  'no-ssh': 'failed',
  'old-node': 'failed',
  'ssh-forward': 'refused',
  'ssh-host': 'failed',
  'too-many-files': 'failed',
  'unsafe-folder': 'failed',

  // The agent, its sockets and its service.
  'agent-failed': 'failed',
  'agent-hung': 'failed',
  'agent-leaving': 'failed',
  'agent-lives': 'failed',
  'agent-not-running': 'no-session',
  'agent-runs': 'failed',
  'agent-silent': 'failed',
  'agent-unknown': 'failed',
  'busy-socket': 'failed',
  'foreign-socket': 'failed',
  'given-sockets': 'failed',
  lent: 'refused',
  'no-launchd': 'failed',
  'no-service': 'failed',
  'no-systemd': 'failed',
  'not-ours': 'failed',
  'other-folder': 'failed',
  'other-version': 'failed',
  service: 'failed',
  'socket-path': 'failed',
  'unit-text': 'failed',

  // The sign-in and the enrolment.
  'callback-port': 'failed',
  'code-malformed': 'usage',
  'code-refused': 'refused',
  'invitation-malformed': 'usage',
  'login-given-up': 'no-session',
  'login-unanswered': 'no-session',
  'login-unclear': 'no-session',
  'no-session': 'no-session',
  'other-page': 'refused',
  'other-person': 'refused',
  'paste-not-allowed': 'refused',
  'too-late': 'failed',

  // The person's keys and sessions.
  'key-name': 'usage',
  'key-unknown': 'failed',
  'not-confirmed': 'failed',
  'session-unknown': 'failed',
  'several-keys': 'failed',
  'several-sessions': 'failed',

  // What is lent.
  'lend-exists': 'failed',
  'lend-over': 'refused',
  'lend-unknown': 'failed',
  'outside-lend': 'refused',
  'too-many-lends': 'failed',

  // The network and the Vouch server.
  'ca-bundle': 'failed',
  'clock-skew': 'refused',
  'no-browser': 'failed',
  'not-a-vouch-server': 'unreachable',
  'old-server': 'failed',
  proxy: 'failed',
  refused: 'refused',
  'secret-variable': 'failed',
  'server-unreachable': 'unreachable',
  'tls-unverified': 'failed',

  // AWS and its config file.
  'aws-refused': 'refused',
  'aws-unreachable': 'unreachable',
  'config-file': 'failed',
  endpoint: 'failed',
  'no-profile': 'failed',
  partition: 'failed',
  'profile-exists': 'failed',
  'profile-in-use': 'failed',
  'profile-twice': 'failed',
  'several-profiles': 'failed',
  'unknown-profile': 'failed',
  'vouch-path': 'failed',

  // Git, its configuration and its URLs.
  'config-locked': 'failed',
  'git-config': 'failed',
  'git-config-count': 'failed',
  'malformed-url': 'failed',
  'no-git': 'failed',
  'no-path': 'failed',
  'no-region': 'failed',
  'no-repository': 'failed',
  'not-a-line': 'unreachable',
  'not-codecommit': 'failed',
  'old-git': 'failed',
  'repository-name': 'failed',
  'unclear-region': 'failed',
  'unknown-region': 'failed',
  'would-store': 'failed',

  /** A kind that this version does not know. */
  unknown: 'failed',
} as const satisfies Record<string, Category>;

const categories: Readonly<Record<ProblemKind, Category>> = { ...ofServer, ...ours };

/** The names of all problems, for programs. */
export type ProblemKind = keyof typeof ofServer | keyof typeof ours;

/** The category of a kind. A problem of this kind may name another category. */
export function categoryOf(kind: ProblemKind): Category {
  return categories[kind];
}

export function isProblemKind(name: string): name is ProblemKind {
  return Object.hasOwn(categories, name);
}

/** The kind in a server's answer. A kind that this version does not know becomes `refused`, with its name as the code. */
export function serverKind(name: string): { kind: ProblemKind; code?: string } {
  return Object.hasOwn(ofServer, name) ? { kind: name as keyof typeof ofServer } : { kind: 'refused', code: name };
}
