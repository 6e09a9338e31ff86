/**
 * What a person has at the server, as JSON over agent.sock. Times are ISO 8601. The routes, all of which ask the server as the person:
 * `GET /account/keys`, `PATCH` and `DELETE /account/keys?id=`, `GET /account/sessions`, `DELETE /account/sessions?id=`,
 * `DELETE /account/other-sessions` and `POST /account/not-me`.
 */

/** One of the person's security keys. */
export interface AccountKey {
  /** The credential's ID, in base64url. */
  id: string;
  name: string;
  model: string | null;
  addedAt: string;
  lastUsedAt: string | null;
  /** Whether the agent's session began with it. */
  current: boolean;
}

/** The answer to `GET /account/keys`, the oldest first. */
export interface AccountKeys {
  keys: AccountKey[];
}

/** The body of `PATCH /account/keys?id=`: the key's new name. */
export interface NewKeyName {
  name: string;
}

/** A session of an agent, on some machine. */
export interface AccountSession {
  id: string;
  machine: string | null;
  keyName: string;
  since: string;
  until: string;
  /** The role that it last asked for. */
  lastRole: { arn: string; at: string } | null;
  /** Whether it is this agent's. */
  current: boolean;
}

/** A browser that has the person's account open. */
export interface AccountBrowser {
  id: string;
  browser: string | null;
  ip: string | null;
  /** The last touch, and the last request. */
  touchedAt: string;
  seenAt: string;
}

/** The answer to `GET /account/sessions`, the latest first. */
export interface AccountSessions {
  sessions: AccountSession[];
  browsers: AccountBrowser[];
}

/** The answer to what ends sessions. */
export interface Ending {
  /** How many sessions of agents ended. */
  sessions: number;
  /** How many browsers were signed out. */
  browsers: number;
  /** Until when AWS may honour what the ended sessions got; null if that is nothing. */
  awsCredentialsUntil: string | null;
}

/** The answer to `DELETE /account/keys?id=`. */
export interface KeyRemoval {
  /** How many sessions of agents ended with the key. */
  sessions: number;
  awsCredentialsUntil: string | null;
  /** Whether the agent's own session was one of them. */
  signedOut: boolean;
}
