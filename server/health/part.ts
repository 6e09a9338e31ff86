import { inTime } from '../in-time.ts';

/** Something that the server needs to do its work. */
export interface Part {
  /** One of a few words, such as `database`: it is in `/readyz`, in the log and in a metric. */
  name: string;
  /** Throws when the server cannot do its work. Only the log gets the error: a stranger may ask. */
  check: () => Promise<void>;
  /** Whether the server can do the rest of its work without it, so that it stays ready. */
  optional?: boolean;
  /** How long a good answer is believed, in milliseconds, for a check that costs more than the usual 2 s are worth. */
  reuseMs?: number;
}

/** How long an answer is believed, in milliseconds: strangers ask too, and each write waits for the disk. */
const REUSE_MS = 2_000;

/** How long a check may take, in milliseconds: longer than a statement waits for another program's lock. */
const PATIENCE_MS = 8_000;

/** A part, with what its last check found. */
export class WatchedPart {
  readonly name: string;
  readonly optional: boolean;
  readonly #check: () => Promise<void>;
  readonly #reuseMs: number;
  readonly #changed: (ok: boolean, error?: unknown) => void;
  #attempt: Promise<boolean> | undefined;
  // By a monotonic clock. A running attempt is never stale.
  #staleAt = Number.POSITIVE_INFINITY;
  #ok = true;

  /** @param changed called when a check finds something else than the one before; the first is taken to follow a good one */
  constructor(
    { name, check, optional = false, reuseMs = REUSE_MS }: Part,
    changed: (ok: boolean, error?: unknown) => void,
  ) {
    this.name = name;
    this.optional = optional;
    this.#check = check;
    this.#reuseMs = reuseMs;
    this.#changed = changed;
  }

  /** What the last check found; true before the first. */
  get worked(): boolean {
    return this.#ok;
  }

  /** Whether it works, as of a moment ago. It never throws. */
  works(): Promise<boolean> {
    if (this.#attempt === undefined || performance.now() >= this.#staleAt) {
      this.#staleAt = Number.POSITIVE_INFINITY;
      this.#attempt = this.#look();
    }
    return this.#attempt;
  }

  async #look(): Promise<boolean> {
    let error: unknown;
    const ok = await checkInTime(this.#check).then(
      () => true,
      (reason: unknown) => {
        error = reason;
        return false;
      },
    );
    // Whoever waits for it to work again asks soon.
    this.#staleAt = performance.now() + (ok ? this.#reuseMs : REUSE_MS);
    if (ok !== this.#ok) this.#changed(ok, error);
    this.#ok = ok;
    return ok;
  }
}

async function checkInTime(check: () => Promise<void>): Promise<void> {
  if ((await inTime(check(), PATIENCE_MS)) === 'late') throw new Error(`the check took longer than ${PATIENCE_MS} ms`);
}
