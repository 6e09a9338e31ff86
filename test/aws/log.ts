import { appendFileSync } from 'node:fs';

/** One request to the local AWS, and its outcome. It holds no secret. */
export interface LogEntry {
  at: string;
  service: 'sts' | 'codecommit' | 'signin';
  /** `AssumeRole`, `AssumeRoleWithWebIdentity`, `GetCallerIdentity`, `GitPull`, `GitPush`, `getSigninToken`, `login`; `-` if unknown. */
  action: string;
  /** `OK`, or the code of the refusal. */
  outcome: string;
  /** Why it was refused. */
  message?: string;
  role?: string;
  session?: string;
  subject?: string;
  /** The session that called AssumeRole. */
  caller?: string;
  sourceIdentity?: string;
  /** The session tags in the token, as CloudTrail shows them. */
  principalTags?: Record<string, string>;
  /** CodeCommit's host. */
  host?: string;
  /** The region of the host, or of the signature. */
  region?: string;
  repo?: string;
  /** What a push changes. */
  references?: string[];
  method?: string;
  path?: string;
  /** The client's User-Agent. */
  client?: string;
}

/** Keeps the requests for tests, and writes them to a file for people. */
export class Log {
  readonly entries: LogEntry[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  add(entry: LogEntry): void {
    this.entries.push(entry);
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}
