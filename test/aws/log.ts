import { appendFileSync } from 'node:fs';

/** One thing that somebody asked of the local AWS, and what came of it. It holds no secret. */
export interface LogEntry {
  at: string;
  service: 'sts' | 'codecommit';
  /** `AssumeRole`, `AssumeRoleWithWebIdentity`, `GetCallerIdentity`, `GitPull`, `GitPush`; `-` when it is not known. */
  action: string;
  /** `OK`, or the code of the refusal. */
  outcome: string;
  /** Why it was refused. */
  message?: string;
  role?: string;
  session?: string;
  subject?: string;
  /** The session that asked for another one. */
  caller?: string;
  sourceIdentity?: string;
  /** CodeCommit's host, or nothing. */
  host?: string;
  /** Of the host, or of the signature. */
  region?: string;
  repo?: string;
  method?: string;
  path?: string;
  /** What the client calls itself: its User-Agent. */
  client?: string;
}

/** Keeps what happened, for tests to look at, and writes it to a file, for people. */
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
