import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { hash } from '../secrets.ts';
import type { Store } from '../store/store.ts';
import { Finishing } from './finishing.ts';

/** How long a sign-in may take once its page is open, in seconds. */
export const INTERACTION_SECONDS = 10 * 60;

/**
 * Takes a sign-in's interaction away for good, in one atomic statement: of two who finish the same sign-in, one wins.
 *
 * @returns false when it was taken already
 */
export async function takeInteraction(store: Store, uid: string): Promise<boolean> {
  const taken = await store
    .deleteFrom('oidc_payloads')
    .where('model', '=', 'Interaction')
    .where('id_hash', '=', hash(uid))
    .returning('id_hash')
    .executeTakeFirst();
  return taken !== undefined;
}

/**
 * Keeps oidc-provider's models in the store.
 *
 * An instance's ID is the secret itself (a code, a session cookie): only its hash is stored, and the payload does not hold it. If the
 * library needs two steps to use something once (a code, a DPoP proof), one statement here decides.
 */
export class OidcAdapter implements Adapter {
  readonly #store: Store;
  readonly #model: string;
  readonly #now: () => number;
  readonly #revokeGrant: (grantId: string) => Promise<void>;

  /** @param revokeGrant ends what a grant has given beyond the library's own models */
  constructor(store: Store, model: string, now: () => number, revokeGrant: (grantId: string) => Promise<void>) {
    this.#store = store;
    this.#model = model;
    this.#now = now;
    this.#revokeGrant = revokeGrant;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const { jti: _secret, consumed: _column, ...rest } = payload;
    // A pushed request can be opened until its own `exp`, and leads to one code. Remember that it was used until no page opened with
    // it can still exist.
    const seconds = this.#model === 'PushedAuthorizationRequest' ? expiresIn + INTERACTION_SECONDS : expiresIn;
    const row = {
      model: this.#model,
      id_hash: hash(id),
      payload: JSON.stringify(rest),
      grant_id: payload.grantId ?? null,
      uid: payload.uid ?? null,
      user_code: payload.userCode ?? null,
      expires_at: Number.isFinite(seconds) ? this.#now() + seconds * 1000 : null,
    };
    const insert = (store: Store) => store.insertInto('oidc_payloads').values({ ...row, consumed_at: null });
    if (this.#model === 'ReplayDetection') {
      // RFC 9449, section 11.1: of two requests with one proof, one is a replay, however close together they are.
      const inserted = await insert(this.#store)
        .onConflict((conflict) => conflict.doNothing())
        .returning('id_hash')
        .executeTakeFirst();
      if (inserted === undefined) throw new errors.InvalidDpopProof('DPoP proof JWT Replay detected');
      return;
    }
    await this.#change(async (store) => {
      await insert(store)
        .onConflict((conflict) => conflict.columns(['model', 'id_hash']).doUpdateSet(row))
        .execute();
    });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const finishing = this.#model === 'Interaction' ? Finishing.now() : undefined;
    if (finishing?.uid === id) return finishing.interaction;
    const row = await this.#rows().where('id_hash', '=', hash(id)).executeTakeFirst();
    return row && { ...payloadOf(row), jti: id };
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const row = await this.#rows().where('uid', '=', uid).executeTakeFirst();
    return row && payloadOf(row);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const row = await this.#rows().where('user_code', '=', userCode).executeTakeFirst();
    return row && payloadOf(row);
  }

  async consume(id: string): Promise<void> {
    await this.#change((store) => this.#consume(store, id));
  }

  async #consume(store: Store, id: string): Promise<void> {
    const consumed = await store
      .updateTable('oidc_payloads')
      .set({ consumed_at: this.#now() })
      .where('model', '=', this.#model)
      .where('id_hash', '=', hash(id))
      .where('consumed_at', 'is', null)
      .returning('id_hash')
      .executeTakeFirst();
    if (consumed !== undefined) return;
    // RFC 6749, section 4.1.2: a code is used once, and a second use ends what the first one gave. The library does that when it finds a
    // used code; here another request, perhaps of another instance, has used it since.
    const used = await store
      .selectFrom('oidc_payloads')
      .select('grant_id')
      .where('model', '=', this.#model)
      .where('id_hash', '=', hash(id))
      .executeTakeFirst();
    if (typeof used?.grant_id === 'string') await this.#revokeGrant(used.grant_id);
    throw new errors.InvalidGrant(`${this.#model} is consumed already`);
  }

  async destroy(id: string): Promise<void> {
    // Under its secret name it was never stored.
    if (this.#model === 'Interaction' && Finishing.now()?.uid === id) return;
    await this.#store
      .deleteFrom('oidc_payloads')
      .where('model', '=', this.#model)
      .where('id_hash', '=', hash(id))
      .execute();
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    // First and awaited, because the answer confirms it.
    await this.#revokeGrant(grantId);
    await this.#store
      .deleteFrom('oidc_payloads')
      .where('model', '=', this.#model)
      .where('grant_id', '=', grantId)
      .execute();
  }

  /** Changes the store, or leaves the change to the transaction that finishes a sign-in. */
  async #change(change: (store: Store) => Promise<void>): Promise<void> {
    const finishing = Finishing.now();
    if (finishing === undefined) await change(this.#store);
    else finishing.later(change);
  }

  #rows() {
    return this.#store
      .selectFrom('oidc_payloads')
      .select(['payload', 'consumed_at'])
      .where('model', '=', this.#model)
      .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', this.#now())]));
  }
}

function payloadOf(row: { payload: string; consumed_at: number | null }): AdapterPayload {
  const payload = JSON.parse(row.payload) as AdapterPayload;
  return row.consumed_at === null ? payload : { ...payload, consumed: Math.floor(row.consumed_at / 1000) };
}
