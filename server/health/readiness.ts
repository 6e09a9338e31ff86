import type { Logger } from 'pino';
import { type Part, WatchedPart } from './part.ts';

/** What `/readyz` says. */
export interface Report {
  /** `degraded`: all but an optional part works. `draining`: the server works, and is about to end. */
  status: 'ok' | 'degraded' | 'failing' | 'draining';
  parts: Readonly<Record<string, 'ok' | 'degraded' | 'failing'>>;
}

/** Whether the server can do its work now: all of its parts do, and it is not about to end. */
export class Readiness {
  readonly #log: Logger;
  readonly #parts: WatchedPart[] = [];
  #draining = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Adds a part that must work. An outage and its end are logged once each. */
  add(part: Part): void {
    const { name } = part;
    const watched = new WatchedPart(part, (ok, err) => {
      if (ok) this.#log.info({ part: name }, 'works again');
      else this.#log.error({ part: name, err }, 'does not work');
    });
    this.#parts.push(watched);
  }

  /** From now on the server says that it is not ready. */
  drain(): void {
    this.#draining = true;
  }

  /** What was found last, without a look. */
  latest(): Report {
    const found = this.#parts.map(({ name, worked, optional }) => {
      const bad = optional ? 'degraded' : 'failing';
      return [name, worked ? 'ok' : bad] as const;
    });
    const worst = (['failing', 'degraded'] as const).find((state) => found.some(([, one]) => one === state));
    return { status: this.#draining ? 'draining' : (worst ?? 'ok'), parts: Object.fromEntries(found) };
  }

  /** Looks at all parts, or at what was found a moment ago. It never throws. */
  async report(): Promise<Report> {
    // Nobody may have to wait for that.
    if (this.#draining) return this.latest();
    await Promise.all(this.#parts.map((part) => part.works()));
    return this.latest();
  }
}
