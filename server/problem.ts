import { forLog } from './text/readable-text.ts';

/** Names of what can go wrong, as in docs/http-api.md. */
export type ProblemName =
  | 'interaction-over'
  | 'unknown-key'
  | 'challenge-used'
  | 'user-not-verified'
  | 'counter-went-back'
  | 'key-refused'
  | 'assertion-refused'
  | 'invitation-refused'
  | 'other-browser'
  | 'approval-needed'
  | 'confirmation-needed'
  | 'session-over'
  | 'token-refused'
  | 'role-refused'
  | 'too-many-requests'
  | 'bad-request'
  | 'not-found'
  | 'misdirected-request'
  | 'unavailable'
  | 'internal-error';

/**
 * A refusal that the caller may read: RFC 9457's problem details.
 *
 * `title` says what happened, `detail` what to do next; neither may hold a secret. `reason` is for the log and the audit
 * table alone, where it may be more exact than a stranger should learn.
 */
export class Problem extends Error {
  readonly status: number;
  readonly problem: ProblemName;
  readonly title: string;
  readonly detail: string;
  readonly reason: string;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    problem: ProblemName,
    title: string,
    detail: string,
    more: { reason?: string; headers?: Record<string, string> } = {},
  ) {
    super(title);
    this.name = 'Problem';
    this.status = status;
    this.problem = problem;
    this.title = title;
    this.detail = detail;
    this.reason = forLog(more.reason ?? title);
    this.headers = more.headers ?? {};
  }

  toJSON(): Record<string, unknown> {
    return { type: `urn:vouch:problem:${this.problem}`, title: this.title, status: this.status, detail: this.detail };
  }
}
