import type { Store } from './store.ts';

/** How long a finished enrolment can still be asked about, in milliseconds. */
const ENROLMENT_MEMORY_MS = 24 * 3600 * 1000;

const DAY_MS = 24 * 3600 * 1000;

/** How long the clock must have gone evenly before what must not be lost is deleted: longer than any proof is fresh, in milliseconds. */
const STEADY_MS = 15 * 60 * 1000;

/** What the clock and the elapsed time may differ by from one sweep to the next, in milliseconds: NTP slews by less. */
const JUMP_MS = 5_000;

/** The one of oidc-provider's models that is kept in order to refuse. */
const DENYING_MODEL = 'ReplayDetection';

/** Deletes what is over and nobody will ask for again, and of the audit tables what is older than it need be. Sessions stay. */
export class Sweeper {
  readonly #store: Store;
  readonly #auditDays: number;
  readonly #elapsed: () => number;
  #steadySince: number;
  #last: { now: number; elapsed: number } | undefined;

  /**
   * @param auditDays how many days audit rows are kept
   * @param elapsed milliseconds of a clock that nobody sets
   */
  constructor(store: Store, auditDays: number, elapsed: () => number = () => performance.now()) {
    this.#store = store;
    this.#auditDays = auditDays;
    this.#elapsed = elapsed;
    this.#steadySince = elapsed();
  }

  /** @param now milliseconds since the epoch */
  async sweep(now: number): Promise<void> {
    await this.#store.deleteFrom('challenges').where('expires_at', '<=', now).execute();
    await this.#store
      .deleteFrom('oidc_payloads')
      .where('expires_at', '<=', now)
      .where('model', '!=', DENYING_MODEL)
      .execute();
    await this.#store
      .deleteFrom('enrolments')
      .where('expires_at', '<=', now - ENROLMENT_MEMORY_MS)
      .execute();
    if (!this.#isSteady(now)) return;
    await this.#forgetProofs(now);
    await this.#forgetAudit(now - this.#auditDays * DAY_MS);
  }

  /**
   * A used proof that is forgotten could be used again. A clock that is ahead by mistake makes each of them old, and when it goes
   * back they are fresh: so they are kept until the clock has gone evenly for longer than a proof is taken. And a clock that is a
   * year ahead for a moment takes no audit rows along.
   */
  #isSteady(now: number): boolean {
    const elapsed = this.#elapsed();
    const last = this.#last ?? { now, elapsed };
    const jumped = Math.abs(now - last.now - (elapsed - last.elapsed)) > JUMP_MS;
    if (jumped) this.#steadySince = elapsed;
    this.#last = { now, elapsed };
    return elapsed - this.#steadySince >= STEADY_MS;
  }

  async #forgetProofs(now: number): Promise<void> {
    await this.#store.deleteFrom('dpop_proofs').where('expires_at', '<=', now).execute();
    await this.#store
      .deleteFrom('oidc_payloads')
      .where('expires_at', '<=', now)
      .where('model', '=', DENYING_MODEL)
      .execute();
  }

  async #forgetAudit(before: number): Promise<void> {
    await this.#store.deleteFrom('audit').where('at', '<=', before).execute();
    await this.#store.deleteFrom('audit_windows').where('last_at', '<=', before).execute();
  }
}
