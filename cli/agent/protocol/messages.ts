import type { JsonWebKey } from 'node:crypto';
import type { KeyName } from '../../text/key-label.ts';
import type { Lend } from './lends.ts';

/**
 * The protocol of both sockets. Clients name it: `Vouch-Protocol: 1` in the head of a request over agent.sock, `vouch-protocol=1`
 * before Git's lines over git.sock. It changes when a client and an agent of different versions could misunderstand each other: an
 * agent refuses requests in another protocol. `GET /status`, `DELETE /session` and problems never change, so that any client can
 * find out which agent runs, and end it.
 */
export const protocolVersion = '1';

/** The JSON that goes over agent.sock. Times are ISO 8601. */

/** The body of `PUT /session`: what a login hands over. The agent never sends it to anybody but the server. */
export interface NewSession {
  /** The server's issuer URL, as in its discovery document. */
  issuer: string;
  accessToken: string;
  /** The private key that the access token is bound to (EC P-256, RFC 9449). */
  dpopKey: JsonWebKey;
  email: string;
  key: KeyName;
  expiresAt: string;
}

/** A manager that can run the agent as a service. */
export type ServiceManager = 'systemd' | 'launchd';

/** The answer to `GET /status`: nothing in it is a secret. */
export interface AgentStatus {
  version: string;
  /** See protocolVersion. */
  protocol: string;
  pid: number;
  startedAt: string;
  /**
   * The manager that runs the agent as a service; null when a command started it. Agents of earlier versions do not send this.
   */
  service?: ServiceManager | null;
  session: null | { issuer: string; email: string; key: KeyName; expiresAt: string };
  /** Why the last session ended, if it has: a problem as JSON. Agents of earlier versions do not send this. */
  ended?: Record<string, unknown> | undefined;
  /** `trouble`: why the last renewal failed, if it did. */
  credentials: { role: string; region: string; expiresAt: string; trouble?: string | undefined }[];
  /** What is lent. Agents of earlier versions do not send this. */
  lends?: Lend[];
}

/** The answer to `DELETE /session`. */
export interface Dropped {
  /** Whether the server has confirmed the revocation, now or before. */
  revoked: boolean;
  /** Why not, when it has not. */
  reason?: string;
}

/** The answer to `GET /credentials`. */
export interface CredentialsAnswer {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: string;
}

/** The answer to `GET /claims`. */
export interface RoleClaims {
  /** The payload of an ID token for the role, without its signature. */
  claims: Record<string, unknown>;
  /** The name of the key that signed it. An agent of an older version does not tell. */
  keyId?: string | undefined;
}

/** The subject of an entry in the agent's log. */
export type LogEvent =
  | 'started'
  | 'session'
  | 'account'
  | 'credentials'
  | 'lend'
  | 'retry'
  | 'failed'
  | 'refused'
  | 'ended';

export interface LogEntry {
  /** Grows with each entry. A repeated entry gets a new number. */
  id: number;
  /** The time when the entry was last added. */
  at: string;
  event: LogEvent;
  /** One line, safe for a terminal. */
  message: string;
  /** How often the entry was added in a row. */
  times: number;
}

/** The answer to `GET /logs`, or to `GET /logs?after=<id>` for the entries after one. Nothing in it is a secret. */
export interface LogAnswer {
  /** The process of the agent whose log it is. Another agent counts its entries from the start. */
  pid: number;
  entries: LogEntry[];
}
