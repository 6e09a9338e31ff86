import { hash } from 'node:crypto';
import type { Category } from '../problem/category.ts';
import { Problem } from '../problem/problem.ts';

/** How long a failure waits to be asked for, in milliseconds: the helper asks at once, or never. */
const life = 5000;

/** What took its time to find out; the rest is as quickly found out again. */
const slow: ReadonlySet<Category> = new Set<Category>(['unreachable', 'refused']);

/** More than Git processes that fail at once. */
const mostEntries = 2048;

/**
 * Failures of requests on git.sock, where no reason can be given, kept for the helper that asks for the reason on
 * agent.sock right afterwards: else it would wait once more for a server that does not answer. Each is told once, so that
 * the next try is a real one.
 */
export class RecentFailures {
  readonly #now: () => number;
  readonly #failures = new Map<string, { problem: Problem; at: number }[]>();

  /** @param now a clock that nobody sets, in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(request: Uint8Array, error: unknown): void {
    if (!(error instanceof Problem) || !slow.has(error.category)) return;
    for (const [known, entries] of this.#failures) {
      if (entries.every(({ at }) => this.#now() - at > life)) this.#failures.delete(known);
    }
    if (this.#failures.size >= mostEntries) return;
    const entries = this.#failures.get(key(request)) ?? [];
    if (entries.length < mostEntries) entries.push({ problem: error, at: this.#now() });
    this.#failures.set(key(request), entries);
  }

  /** The reason why just this request has just failed, if it has; it is given once for each time. */
  take(request: Uint8Array): Problem | undefined {
    const entries = this.#failures.get(key(request)) ?? [];
    const last = entries.pop();
    if (entries.length === 0) this.#failures.delete(key(request));
    return last && this.#now() - last.at <= life ? last.problem : undefined;
  }

  clear(): void {
    this.#failures.clear();
  }
}

/**
 * The request but for the lines that say in which form the answer is wanted: the script and the Node program differ there. Of the
 * rest only a hash is kept, as it may be a megabyte.
 */
function key(request: Uint8Array): string {
  const rest = Buffer.from(request)
    .toString('latin1')
    .replace(/^(?:capability\[\]|vouch-forms)=.*\n/gm, '');
  return hash('sha256', Buffer.from(rest, 'latin1'));
}
