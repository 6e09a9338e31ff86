import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { type OverReason, overReasons } from './session-over.ts';
import { activeAmong } from './sessions.ts';

/** The pause between two looks at the database, in milliseconds. */
const EVERY_MS = 500;

/** The pause between two signs of life on a stream, in milliseconds: shorter than any proxy's patience. */
const HEARTBEAT_MS = 20_000;

/** How long a stream stays open, in milliseconds: up to a quarter less, so that streams that began together do not end together. */
const LIFETIME_MS = 3600_000;

/** The most streams of one session: an agent needs one, and a second while the first one is dying. */
const PER_SESSION = 2;

/** The most streams of one person: so many machines nobody has, and one person with very many sessions must not take all the room. */
const PER_PERSON = 100;

/** The most streams of this process. */
const CAPACITY = 20_000;

/** Sessions in one statement. */
const BATCH = 500;

interface Stream {
  watched: Watched;
  response: ServerResponse;
  /** By the monotonic clock, in milliseconds. */
  saidAt: number;
  endsAt: number;
}

interface Watched {
  id: string;
  email: string;
  /** The oldest comes first. */
  streams: Set<Stream>;
}

/**
 * Watches the sessions of open streams, and tells each stream when its session is over. It asks the database, because another process
 * may be the one that ends a session: a command, or another instance of the server. While no stream is open, it asks nothing.
 */
export class SessionWatch {
  readonly #context: Pick<Context, 'config' | 'store' | 'now' | 'log'>;
  readonly #elapsed: () => number;
  readonly #capacity: number;
  /** By session ID. */
  readonly #watched = new Map<string, Watched>();
  /** By the person's address, the oldest first. */
  readonly #people = new Map<string, Set<Stream>>();
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #failing = false;
  #closed = false;

  /** @param elapsed milliseconds of a monotonic clock */
  constructor(
    context: Pick<Context, 'config' | 'store' | 'now' | 'log'>,
    { elapsed = () => performance.now(), capacity = CAPACITY }: { elapsed?: () => number; capacity?: number } = {},
  ) {
    this.#context = context;
    this.#elapsed = elapsed;
    this.#capacity = capacity;
  }

  /** How many streams are open. */
  get size(): number {
    return this.#size;
  }

  /**
   * Makes a response a stream of a session's events: lines of JSON, the first at once. Its session's or its person's older streams end if
   * there are too many.
   *
   * @throws Problem `unavailable` when there is no room, or the server is about to end
   */
  open(session: { id: string; email: string }, response: ServerResponse): void {
    if (this.#closed || this.#size >= this.#capacity) throw full();
    // The client has hung up while its session was checked, and nothing will tell us again.
    if (response.closed) return;
    const elapsed = this.#elapsed();
    const watched: Watched = this.#watched.get(session.id) ?? { ...session, streams: new Set() };
    const endsAt = elapsed + LIFETIME_MS * (0.75 + Math.random() / 4);
    const stream: Stream = { watched, response, saidAt: elapsed, endsAt };
    const theirs = this.#people.get(watched.email) ?? new Set();
    this.#watched.set(session.id, watched);
    this.#people.set(watched.email, theirs);
    watched.streams.add(stream);
    theirs.add(stream);
    this.#size += 1;
    response.once('close', () => this.#remove(stream));
    // When the stream is over there is nothing to keep the connection for, and an idle one would delay the server's end.
    response.shouldKeepAlive = false;
    // nginx passes each line on at once.
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'X-Accel-Buffering': 'no' });
    say(stream, { event: 'alive' });
    this.#endOldest(watched.streams, PER_SESSION);
    this.#endOldest(theirs, PER_PERSON);
    this.#lookLater();
  }

  /** Ends all streams, and opens no more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const watched of this.#watched.values()) {
      for (const stream of watched.streams) this.#end(stream);
    }
  }

  /** Looks at all watched sessions once, and tells each stream what there is to tell. Called by itself every half second. */
  async look(): Promise<void> {
    const sessions = [...this.#watched.values()];
    try {
      for (let from = 0; from < sessions.length; from += BATCH) {
        // Statements of the embedded database block the process.
        if (from > 0) await setImmediate();
        await this.#tellOver(sessions.slice(from, from + BATCH));
      }
      this.#failing = false;
    } catch (err) {
      if (this.#closed) return;
      // The next look comes soon, and an outage of the database is told once.
      if (!this.#failing) this.#context.log.error({ err }, 'sessions cannot be watched');
      this.#failing = true;
    }
    this.#tellAlive();
  }

  async #tellOver(sessions: readonly Watched[]): Promise<void> {
    const { store, now } = this.#context;
    const ids = sessions.map(({ id }) => id);
    const active = await activeAmong(store, ids, now());
    if (active.size === ids.length) return;
    const over = sessions.filter(({ id }) => !active.has(id));
    const reasons = await overReasons(store, over, now());
    for (const { id } of over) this.#over(id, reasons.get(id));
  }

  #over(id: string, reason: OverReason | undefined): void {
    for (const stream of this.#watched.get(id)?.streams ?? []) {
      say(stream, { event: 'over', reason, contact: this.#context.config.contact?.text });
      this.#end(stream);
    }
  }

  #tellAlive(): void {
    const elapsed = this.#elapsed();
    for (const watched of this.#watched.values()) {
      for (const stream of watched.streams) {
        if (elapsed >= stream.endsAt) {
          say(stream, { event: 'again' });
          this.#end(stream);
        } else if (elapsed - stream.saidAt >= HEARTBEAT_MS) {
          stream.saidAt = elapsed;
          say(stream, { event: 'alive' });
        }
      }
    }
  }

  #lookLater(): void {
    if (this.#closed || this.#size === 0 || this.#looking || this.#timer !== undefined) return;
    this.#timer = setTimeout(async () => {
      this.#timer = undefined;
      this.#looking = true;
      await this.look();
      this.#looking = false;
      this.#lookLater();
    }, EVERY_MS);
  }

  /** Ends the oldest of these streams if there are more than so many. */
  #endOldest(streams: ReadonlySet<Stream>, most: number): void {
    for (const oldest of streams) {
      if (streams.size <= most) break;
      this.#end(oldest);
    }
  }

  #end(stream: Stream): void {
    this.#remove(stream);
    stream.response.end();
  }

  #remove(stream: Stream): void {
    const { watched } = stream;
    if (!watched.streams.delete(stream)) return;
    this.#size -= 1;
    if (watched.streams.size === 0) this.#watched.delete(watched.id);
    const theirs = this.#people.get(watched.email);
    theirs?.delete(stream);
    if (theirs?.size === 0) this.#people.delete(watched.email);
    if (this.#size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }
}

interface SessionEvent {
  event: 'alive' | 'again' | 'over';
  reason?: OverReason | undefined;
  /** How to reach the administrator. */
  contact?: string | undefined;
}

function say({ response }: Stream, event: SessionEvent): void {
  response.write(`${JSON.stringify(event)}\n`);
}

function full(): Problem {
  return new Problem({
    kind: 'unavailable',
    what: 'The server cannot tell you now when the session is over',
    fix: 'Try again in a minute.',
    headers: { 'Retry-After': '60' },
  });
}
