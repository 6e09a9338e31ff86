import { hash } from 'node:crypto';
import type { Category } from '../../problem/kinds.ts';
import { Problem } from '../../problem/problem.ts';

/** How long a failure is kept, in milliseconds: the helper asks for it at once, or never. */
const life = 5000;

/** The failures that come slowly. All others come at once when the request is tried again. */
const slow: ReadonlySet<Category> = new Set<Category>(['unreachable', 'refused']);

/** More than the Git processes that fail at once. */
const mostEntries = 2048;

/**
 * Failures of requests on git.sock, which cannot carry a reason. The helper asks for it on agent.sock right afterwards, and would
 * otherwise wait a second time for a server that does not answer. Each failure is given once, so that the next request is a real
 * try.
 */
export class RecentFailures {
  readonly #now: () => number;
  readonly #failures = new Map<string, { problem: Problem; at: number }[]>();

  /** @param now the monotonic clock, in milliseconds */
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

  /** Why this very request has just failed, if it has; once for each failure. */
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
 * The request without the lines that name the form of the answer, in which the script and the Node program differ. Only a hash is
 * kept, because the request may be large.
 */
function key(request: Uint8Array): string {
  const rest = Buffer.from(request)
    .toString('latin1')
    .replace(/^(?:capability\[\]|vouch-forms)=.*\n/gm, '');
  return hash('sha256', Buffer.from(rest, 'latin1'));
}
