import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Outage } from '../../network/outage.ts';
import { readLines } from '../../network/read-lines.ts';
import type { ProblemKind } from '../../problem/kinds.ts';
import { Problem } from '../../problem/problem.ts';
import { parseJson } from '../../text/parse-json.ts';
import { type Log, reasonOf } from '../log.ts';
import type { Access } from './access-token.ts';
import { type Clocks, Expiry } from './expiry.ts';
import type { Lifetime } from './lifetime.ts';
import { endedByServer, openSessionEvents } from './server-requests.ts';
import type { Timeouts } from './timeouts.ts';

/** More than any event has, in bytes. */
const longestEvent = 4 * 1024;

/** The longest that a server can make us wait, in milliseconds. */
const longestDemand = 10 * 60_000;

/** The answers after which the stream is not asked for again: there is no session, or the server has no such stream. */
const lasting: ReadonlySet<ProblemKind> = new Set<ProblemKind>(['session-over', 'not-found']);

/** Why `check` gives a stream up. */
const silence = new Error('The stream has been silent for too long.');

export interface SessionEventsOptions {
  access: Access;
  lifetime: Lifetime;
  clocks: Clocks;
  timeouts: Timeouts;
  log: Log;
  /** Called when the server has ended the session. */
  onRefused: (why: Problem) => void;
  /** Waits for a number of milliseconds, or until the signal. By default with a timer that keeps no process alive. */
  pause?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** A random whole number from 0 to below the ceiling. */
  random?: (ceiling: number) => number;
}

/** How a stream ended, if the session goes on. */
interface Break {
  /** Whether the server had sent anything. */
  heard: boolean;
  /** Whether to open the stream again without a pause. */
  atOnce?: boolean;
  /** How long the server asked us to wait, in milliseconds. */
  retryAfter?: number;
}

/**
 * Hears from the server when it ends the session. The agent serves Git from its memory without asking the server, so otherwise a person
 * who is shut out could go on until the AWS credentials end.
 *
 * One request stays open for as long as the session lasts. While the server cannot be reached, nothing changes for the credentials in
 * the cache: AWS limits those.
 */
export class SessionEvents {
  readonly #options: SessionEventsOptions;
  /** The open stream, and when it counts as dead unless something comes. */
  #open: { abort: AbortController; dead: Expiry } | undefined;
  /** Whether the last try to open it has failed. */
  #down = false;

  constructor(options: SessionEventsOptions) {
    this.#options = options;
  }

  /**
   * Listens until the session is over or dropped, or the server proves too old to have events. A stream that breaks off is opened again
   * after a random pause, whose ceiling doubles after each failure: the agents of a whole team lose their server in one moment.
   */
  async listen(): Promise<void> {
    const { lifetime, timeouts, pause = sleeping, random = (ceiling) => randomInt(ceiling) } = this.#options;
    const { firstReopening, longestReopening } = timeouts;
    const { signal, end } = lifetime;
    let ceiling = firstReopening;
    while (!signal.aborted && !end.over) {
      const broken = await this.#once();
      if (broken === undefined) return;
      if (broken.heard) ceiling = firstReopening;
      if (broken.atOnce) continue;
      await pause(Math.min(broken.retryAfter ?? 0, longestDemand) + random(ceiling), signal);
      ceiling = Math.min(2 * ceiling, longestReopening);
    }
  }

  /**
   * Opens the stream again if it has been silent for too long: the server is gone, or the machine has slept and its network is another
   * one. To be called now and then, and at each request.
   */
  check(): void {
    if (this.#open?.dead.over) this.#open.abort.abort(silence);
  }

  /** Opens the stream, and follows it to its end. @returns undefined when there will be nothing more to hear */
  async #once(): Promise<Break | undefined> {
    const { access, lifetime, clocks, onRefused, timeouts } = this.#options;
    const abort = new AbortController();
    const late = setTimeout(() => abort.abort(tooLate()), timeouts.call).unref();
    const opened = clocks.uptime();
    let heard = false;
    /** Otherwise a server that ends every stream at once would be asked without a pause. */
    const hasLasted = () => heard && clocks.uptime() - opened >= timeouts.firstReopening;
    try {
      const stream = await openSessionEvents(access, AbortSignal.any([lifetime.signal, abort.signal]));
      clearTimeout(late);
      const alive = () => new Expiry(clocks.now() + timeouts.silence, clocks);
      const open = { abort, dead: alive() };
      this.#open = open;
      for await (const line of readLines(longestEvent, stream)) {
        open.dead = alive();
        heard = true;
        this.#heard();
        const event: Record<string, unknown> = Object(parseJson(line));
        if (event.event === 'again') return { heard, atOnce: hasLasted() };
        if (event.event !== 'over') continue;
        onRefused(endedByServer(access, event));
        return undefined;
      }
      return { heard };
    } catch (error) {
      if (lifetime.signal.aborted) return undefined;
      if (abort.signal.reason === silence) return { heard, atOnce: hasLasted() };
      if (error instanceof Problem && error.kind === 'session-over') onRefused(error);
      if (error instanceof Problem && lasting.has(error.kind)) return undefined;
      if (!heard) this.#failed(error);
      return { heard, retryAfter: error instanceof Outage ? error.retryAfter : 0 };
    } finally {
      clearTimeout(late);
      this.#open = undefined;
    }
  }

  /** Adds the first failure of an outage to the log, and not each of them. */
  #failed(error: unknown): void {
    if (!this.#down) this.#options.log.add('retry', `to hear when the session is over: ${reasonOf(error)}`);
    this.#down = true;
  }

  #heard(): void {
    if (this.#down) this.#options.log.add('session', 'the server tells again when it is over');
    this.#down = false;
  }
}

function sleeping(milliseconds: number, signal: AbortSignal): Promise<unknown> {
  return sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});
}

function tooLate(): Error {
  return Object.assign(new Error('It did not answer in time.'), { name: 'TimeoutError' });
}
