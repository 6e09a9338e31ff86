import { setImmediate } from 'node:timers/promises';
import type { DeleteResult } from 'kysely';
import type { Store } from './store.ts';

/** How many rows one statement deletes at most: the embedded database blocks the whole server for as long as that takes. */
const BITE = 1_000;

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
  #underWay = false;
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

  /** Does nothing while an earlier one is under way. @param now milliseconds since the epoch */
  async sweep(now: number): Promise<void> {
    if (this.#underWay) return;
    this.#underWay = true;
    try {
      await this.#forgetOver(now);
      if (!this.#isSteady(now)) return;
      await this.#forgetProofs(now);
      await this.#forgetAudit(now - this.#auditDays * DAY_MS);
    } finally {
      this.#underWay = false;
    }
  }

  async #forgetOver(now: number): Promise<void> {
    const store = this.#store;
    const challenges = store
      .selectFrom('challenges')
      .select('challenge_hash')
      .where('expires_at', '<=', now)
      .limit(BITE);
    await inBites(() => store.deleteFrom('challenges').where('challenge_hash', 'in', challenges).executeTakeFirst());
    await this.#forgetPayloads(now, '!=');
    const before = now - ENROLMENT_MEMORY_MS;
    const enrolments = store
      .selectFrom('enrolments')
      .select('ticket_hash')
      .where('expires_at', '<=', before)
      .limit(BITE);
    await inBites(() => store.deleteFrom('enrolments').where('ticket_hash', 'in', enrolments).executeTakeFirst());
  }

  /** @param denying whether those of the model that is kept in order to refuse ('='), or all others ('!=') */
  async #forgetPayloads(now: number, denying: '=' | '!='): Promise<void> {
    const store = this.#store;
    const over = store
      .selectFrom('oidc_payloads')
      .select('id_hash')
      .where('expires_at', '<=', now)
      .where('model', denying, DENYING_MODEL)
      .limit(BITE);
    await inBites(() =>
      store
        .deleteFrom('oidc_payloads')
        .where('id_hash', 'in', over)
        .where('expires_at', '<=', now)
        .where('model', denying, DENYING_MODEL)
        .executeTakeFirst(),
    );
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
    const store = this.#store;
    const proofs = store.selectFrom('dpop_proofs').select('proof_hash').where('expires_at', '<=', now).limit(BITE);
    await inBites(() => store.deleteFrom('dpop_proofs').where('proof_hash', 'in', proofs).executeTakeFirst());
    await this.#forgetPayloads(now, '=');
  }

  async #forgetAudit(before: number): Promise<void> {
    const store = this.#store;
    const rows = store.selectFrom('audit').select('id').where('at', '<=', before).limit(BITE);
    await inBites(() => store.deleteFrom('audit').where('id', 'in', rows).executeTakeFirst());
    // A few for each hour, whoever does what.
    await store.deleteFrom('audit_windows').where('last_at', '<=', before).execute();
  }
}

/** Deletes until there is nothing left of it; others are served in between. */
async function inBites(bite: () => Promise<DeleteResult>): Promise<void> {
  while ((await bite()).numDeletedRows >= BITE) await setImmediate();
}
