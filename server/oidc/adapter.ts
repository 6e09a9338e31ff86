import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { hash } from '../secrets.ts';
import type { Schema } from '../store/schema.ts';
import { statement } from '../store/statement.ts';
import type { Store } from '../store/store.ts';
import { Finishing } from './finishing.ts';
import { OpenedAhead } from './opened-ahead.ts';

/** How long a sign-in may take once its page is open, in seconds. */
export const INTERACTION_SECONDS = 10 * 60;

/**
 * Takes a sign-in's interaction away for good, in one atomic statement: of two who finish the same sign-in, one wins.
 *
 * @returns false when it was taken already
 */
export async function takeInteraction(store: Store, uid: string): Promise<boolean> {
  const [taken] = await remove(store, { model: 'Interaction', idHash: hash(uid) });
  return taken !== undefined;
}

type Name = { model: string; idHash: string };

const put = statement((store, row: Omit<Schema['oidc_payloads'], 'consumed_at'>) =>
  store
    .insertInto('oidc_payloads')
    .values({ ...fields(row), consumed_at: null })
    .onConflict((conflict) =>
      conflict.columns(['model', 'id_hash']).doUpdateSet((is) => ({
        payload: is.ref('excluded.payload'),
        grant_id: is.ref('excluded.grant_id'),
        uid: is.ref('excluded.uid'),
        user_code: is.ref('excluded.user_code'),
        expires_at: is.ref('excluded.expires_at'),
      })),
    ),
);

/** Nothing is inserted when it is there already. */
const putOnce = statement((store, row: Omit<Schema['oidc_payloads'], 'consumed_at'>) =>
  store
    .insertInto('oidc_payloads')
    .values({ ...fields(row), consumed_at: null })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id_hash'),
);

/** By their names, because a row of placeholders has none of its own. */
function fields(row: Omit<Schema['oidc_payloads'], 'consumed_at'>) {
  const { model, id_hash, payload, grant_id, uid, user_code, expires_at } = row;
  return { model, id_hash, payload, grant_id, uid, user_code, expires_at };
}

const find = statement((store, { model, idHash, now }: Name & { now: number }) =>
  unexpired(store, model, now).where('id_hash', '=', idHash),
);

const use = statement((store, { model, idHash, now }: Name & { now: number }) =>
  store
    .updateTable('oidc_payloads')
    .set({ consumed_at: now })
    .where('model', '=', model)
    .where('id_hash', '=', idHash)
    .where('consumed_at', 'is', null)
    .returning('id_hash'),
);

const remove = statement((store, { model, idHash }: Name) =>
  store.deleteFrom('oidc_payloads').where('model', '=', model).where('id_hash', '=', idHash).returning('id_hash'),
);

function unexpired(store: Store, model: string, now: number) {
  return store
    .selectFrom('oidc_payloads')
    .select(['payload', 'consumed_at'])
    .where('model', '=', model)
    .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', now)]));
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
    const ahead = this.#model === 'Interaction' ? OpenedAhead.now() : undefined;
    const row = {
      model: this.#model,
      id_hash: hash(ahead?.name ?? id),
      payload: JSON.stringify(rest),
      grant_id: payload.grantId ?? null,
      uid: payload.uid ?? null,
      user_code: payload.userCode ?? null,
      expires_at: Number.isFinite(seconds) ? this.#now() + seconds * 1000 : null,
    };
    if (this.#model === 'ReplayDetection') {
      // RFC 9449, section 11.1: of two requests with one proof, one is a replay, however close together they are.
      const [inserted] = await putOnce(this.#store, row);
      if (inserted === undefined) throw new errors.InvalidDpopProof('DPoP proof JWT Replay detected');
      return;
    }
    await this.#change(async (store) => {
      await put(store, row);
    });
    if (ahead !== undefined) ahead.stored = true;
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const finishing = this.#model === 'Interaction' ? Finishing.now() : undefined;
    if (finishing?.uid === id) return finishing.interaction;
    // `upsert` decides that.
    if (this.#model === 'ReplayDetection') return undefined;
    const [row] = await find(this.#store, { ...this.#name(id), now: this.#now() });
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
    const [consumed] = await use(store, { ...this.#name(id), now: this.#now() });
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
    await remove(this.#store, this.#name(id));
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
    return unexpired(this.#store, this.#model, this.#now());
  }

  #name(id: string): Name {
    return { model: this.#model, idHash: hash(id) };
  }
}

function payloadOf(row: { payload: string; consumed_at: number | null }): AdapterPayload {
  const payload = JSON.parse(row.payload) as AdapterPayload;
  return row.consumed_at === null ? payload : { ...payload, consumed: Math.floor(row.consumed_at / 1000) };
}
