import type { JsonWebKey } from 'node:crypto';
import type { KeyName } from '../text/key-label.ts';

/**
 * What both sockets speak. Clients say it: `Vouch-Protocol: 1` in the head of a request over agent.sock, `vouch-protocol=1` before
 * Git's lines over git.sock. It changes when a client and an agent of different versions could misunderstand each other; then an
 * agent does nothing that it is asked in the other protocol, and says so. For all time stay `GET /status`, `DELETE /session` and
 * problems as they are, so that any client can find out which agent runs, and end it.
 */
export const protocolVersion = '1';

/** What `vouch` and the agent say to each other over agent.sock, as JSON. Times are ISO 8601. */

/** The body of `PUT /session`: what a login hands over. The agent never gives it out again. */
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

/** What can keep an agent as a service. */
export type ServiceManager = 'systemd' | 'launchd';

/** The answer to `GET /status`: nothing in it is a secret. */
export interface AgentStatus {
  version: string;
  /** See protocolVersion. */
  protocol: string;
  pid: number;
  startedAt: string;
  /** Whose service it is; null when a command has started it. An agent of an earlier version does not say. */
  service?: ServiceManager | null;
  session: null | { issuer: string; email: string; key: KeyName; expiresAt: string };
  /** `trouble`: what was in the way when they were last to be renewed. */
  credentials: { role: string; region: string; expiresAt: string; trouble?: string | undefined }[];
}

/** The answer to `DELETE /session`. */
export interface Dropped {
  /** Whether the server has confirmed that the session is revoked, now or before. */
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
}

/** What an entry of the agent's log is about. */
export type LogEvent = 'started' | 'session' | 'credentials' | 'retry' | 'failed' | 'refused' | 'ended';

export interface LogEntry {
  /** They grow with time; an entry that is counted once more gets a new one. */
  id: number;
  /** When it was last said. */
  at: string;
  event: LogEvent;
  /** One line, safe for a terminal. */
  message: string;
  /** How often it was said in a row. */
  times: number;
}

/** The answer to `GET /logs`, or `GET /logs?after=<id>` for what came after an entry: nothing in it is a secret. */
export interface LogAnswer {
  /** Whose log it is: another agent counts its entries anew. */
  pid: number;
  entries: LogEntry[];
}
