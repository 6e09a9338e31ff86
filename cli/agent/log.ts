import { asProblem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';
import type { LogEntry, LogEvent } from './protocol/messages.ts';

/** More than the entries of a day. The oldest is dropped first. */
const mostEntries = 500;

/** The longest message, in characters: all entries together fit into what a client reads (client/http-exchange.ts). */
const longestMessage = 400;

/**
 * The agent's actions and their reasons, for `vouch agent logs`. The log is only in memory, and has names and times, but never a
 * secret.
 */
export class Log {
  readonly #now: () => number;
  #entries: LogEntry[] = [];
  #count = 0;

  /** @param now the wall clock, in milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * Adds an entry. A message that repeats the last one is only counted, so that an editor that asks all day does not push out the
   * others.
   *
   * @param message a sentence without its full stop, such as "alice@example.com, until 17:42"; made safe for a terminal here
   */
  add(event: LogEvent, message: string): void {
    // Cut first: a stranger names a host of any length, and the search takes the square of it. A server may quote what it was sent.
    const begins = message.slice(0, 4 * longestMessage).replace(/\beyJ[\w-]+(\.[\w-]*)+/g, '…');
    const said = printable(begins, longestMessage);
    const at = new Date(this.#now()).toISOString();
    const last = this.#entries.at(-1);
    const id = ++this.#count;
    if (last?.event === event && last.message === said) {
      this.#entries[this.#entries.length - 1] = { ...last, id, at, times: last.times + 1 };
      return;
    }
    this.#entries.push({ id, at, event, message: said, times: 1 });
    if (this.#entries.length > mostEntries) this.#entries.shift();
  }

  /** The entries that came after one, oldest first. */
  after(id: number): LogEntry[] {
    return this.#entries.filter((entry) => entry.id > id);
  }
}

/** The reason of a failure, for a log. The message of an unforeseen error is left out, because it could quote anything. */
export function reasonOf(error: unknown): string {
  const { kind, what, why } = asProblem(error);
  return kind === 'internal-error' ? what : [what, why].filter(Boolean).join(' ');
}
