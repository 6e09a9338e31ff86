/**
 * Lends: sockets of Git whose answers are fenced. JSON over agent.sock; times are ISO 8601. The routes: `POST /lends`, whose answer is
 * lines of JSON, `GET /lends`, and `DELETE /lends?name=`.
 */

/** The body of `POST /lends`. */
export interface NewLend {
  /** `[a-z0-9][a-z0-9-]{0,39}`; by default a random one. */
  name?: string | undefined;
  /** Names of AWS profiles; without one, the usual rule picks it. */
  profiles: string[];
  /** The caller's AWS_PROFILE. */
  awsProfile?: string | undefined;
  /** The caller's AWS config file, an absolute path; by default the one in HOME. It is read once, at the start. */
  config?: string | undefined;
  /** Names of repositories, with `*` and `?`; or CodeCommit's URLs of repositories, which name the region too. Without any, all. */
  repos: string[];
  /** Names of the branches that may be pushed to, with `*` and `?`; without any, all. */
  branches: string[];
  /** Whether AWS refuses every push. */
  pullOnly: boolean;
  /** For how long, in seconds. It ends with the session in any case. */
  seconds: number;
  /** Whether there is a credentials endpoint for AWS's tools too. */
  aws: boolean;
  /** Whether it ends with the connection of this request, so that a client that is killed leaves nothing. */
  tied: boolean;
}

/** A lend, as its owner sees it. */
export interface Lend {
  name: string;
  /** The profiles and their roles. What AWS gives for them is fenced. */
  profiles: { profile: string; role: string }[];
  /** As in NewLend; empty for every repository of the roles' accounts. */
  repos: string[];
  branches: string[];
  pullOnly: boolean;
  until: string;
  /** Its own folder, of mode 0700, for its socket, and for sockets of the command that opened it. It goes with the lend. */
  folder: string;
  /** The socket in it, which speaks the protocol of `git credential-cache`. */
  gitSocket: string;
  /** The credentials endpoint for AWS's tools. Only the answer to `POST /lends` has the token. */
  awsEndpoint: null | { url: string; token?: string };
  /** Whether it ends with the command that opened it. */
  tied: boolean;
  /** Until when AWS may honour what it has given out so far, whatever becomes of the lend; null if that is nothing. */
  awsUntil: string | null;
}

/** The first line of the answer to `POST /lends`. Without `tied` it is the only one. */
export interface LendStarted {
  lend: Lend;
}

/** Why a lend is over. */
export type LendEnd = 'time' | 'asked' | 'closed' | 'session' | 'agent';

/** The last line of the answer to `POST /lends` with `tied`. */
export interface LendEnded {
  ended: LendEnd;
  /** As in Lend. */
  awsUntil: string | null;
}

/** The answer to `GET /lends`, the oldest first. */
export interface LendList {
  lends: Lend[];
}

/** The answer to `DELETE /lends?name=`. */
export interface EndedLend {
  name: string;
  awsUntil: string | null;
}
