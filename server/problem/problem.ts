import { forLog } from '../text/readable-text.ts';
import { type Category, KINDS, type Kind } from './kinds.ts';

export interface ProblemDetails {
  kind: Kind;
  /** Where it is not its kind's. */
  category?: Category;
  /** What happened, a sentence. No secret, as all that follows. */
  what: string;
  /** Why, where `what` does not say it all. */
  why?: string;
  /** What to do next. */
  fix?: string;
  /** For the log alone, where it may be more exact than a stranger should learn; as `what` where it is missing. */
  reason?: string;
  /** Of the HTTP answer. */
  headers?: Record<string, string>;
  cause?: unknown;
}

/** The server's one kind of expected error: a refusal that whoever sent the request, or gave the command, may read. */
export class Problem extends Error {
  readonly kind: Kind;
  readonly category: Category;
  readonly what: string;
  readonly fix: string;
  readonly reason: string;
  readonly headers: Record<string, string>;

  constructor({ kind, category, what, why, fix, reason, headers, cause }: ProblemDetails) {
    super([what, why, fix].filter((part) => part !== undefined).join('\n  '), { cause });
    this.name = 'Problem';
    this.kind = kind;
    this.category = category ?? KINDS[kind];
    this.what = what;
    this.fix = fix ?? '';
    this.reason = forLog(reason ?? what);
    this.headers = headers ?? {};
  }

  /** What the caller may read, as RFC 9457 names it: without its status, which is HTTP's. */
  toJSON(): { type: string; title: string; detail: string } {
    return { type: `urn:vouch:problem:${this.kind}`, title: this.what, detail: this.fix };
  }
}
