import { forLog } from '../text/readable-text.ts';
import { type Category, KINDS, type Kind } from './kinds.ts';

export interface ProblemDetails {
  kind: Kind;
  /** Only if it differs from the kind's. */
  category?: Category;
  /** What happened, in a sentence. No field may hold a secret. */
  what: string;
  /** Why, unless `what` says it all. */
  why?: string;
  /** What to do next. */
  fix?: string;
  /** Only for the log: more exact than a stranger may learn. The default is `what`. */
  reason?: string;
  /** Data for the caller's program (RFC 9457, section 3.2), such as why a key was refused. None may be called `status`. */
  members?: Readonly<Record<string, string>>;
  /** Headers of the HTTP answer. */
  headers?: Record<string, string>;
  cause?: unknown;
}

/** The server's one kind of expected error: a refusal that the sender of the request or the user of the command may read. */
export class Problem extends Error {
  readonly kind: Kind;
  readonly category: Category;
  readonly what: string;
  readonly why: string | undefined;
  readonly fix: string;
  readonly reason: string;
  readonly members: Readonly<Record<string, string>>;
  readonly headers: Record<string, string>;

  constructor({ kind, category, what, why, fix, reason, members, headers, cause }: ProblemDetails) {
    super([what, why, fix].filter((part) => part !== undefined).join('\n  '), { cause });
    this.name = 'Problem';
    this.kind = kind;
    this.category = category ?? KINDS[kind];
    this.what = what;
    this.why = why;
    this.fix = fix ?? '';
    this.reason = forLog(reason ?? what);
    this.members = members ?? {};
    this.headers = headers ?? {};
  }

  /** What the caller may read, in the words of RFC 9457. `http/problem-handler.ts` adds the status. */
  toJSON(): { type: string; title: string; detail: string } & Record<string, string> {
    return { ...this.members, type: `urn:vouch:problem:${this.kind}`, title: this.what, detail: this.fix };
  }
}
