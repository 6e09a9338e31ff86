/** What the server's answers about my account contain (docs/http-api.md). Times are ISO 8601. */

export interface Me {
  email: string;
  role: 'member' | 'owner';
  since: string;
  idleSeconds: number;
  host: string;
}

export interface Key {
  id: string;
  name: string;
  model: string | null;
  /** The path of the model's picture. */
  icon: string | null;
  addedAt: string;
  lastUsedAt: string | null;
  /** Whether this page signed in with it. */
  current: boolean;
  /** Whether it may sign in, by the administrator's rules on keys. */
  counts: boolean;
}

/** A signed-in terminal. */
export interface Session {
  id: string;
  machine: string | null;
  keyName: string;
  since: string;
  until: string;
  /** The role that it last used. */
  lastRole: { arn: string; at: string } | null;
  current: boolean;
}

/** A browser that has my account open. */
export interface Browser {
  id: string;
  browser: string | null;
  ip: string | null;
  touchedAt: string;
  current: boolean;
}

export interface HistoryEvent {
  id: number;
  at: string;
  event: string;
  result: 'done' | 'refused';
  reason: string | null;
  by: 'you' | 'administrator' | 'server' | 'unknown';
  machine: string | null;
  ip: string | null;
  keyName: string | null;
  role: string | null;
  lent: string | null;
  replacesKeys: boolean;
  /** Whether the code of a sign-in was pasted into the terminal. */
  byPaste: boolean;
}

export interface History {
  events: HistoryEvent[];
  /** Where the next page begins, if there is one. */
  before: number | null;
}

/** All that the page shows. */
export interface Account {
  me: Me;
  keys: Key[];
  sessions: Session[];
  browsers: Browser[];
  history: History;
}

/** What ended when sessions, or a key with its sessions, were ended. */
export interface Ending {
  sessions: number;
  browsers?: number;
  /** Until when AWS may honour what they got. */
  awsCredentialsUntil: string | null;
  /** Whether this page's own session ended too. */
  signedOut?: boolean;
}
