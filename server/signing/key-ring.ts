import type { JWK } from 'jose';
import type { Store } from '../store/store.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { KeyPlace } from './key-place.ts';
import { hasSigningKey, type KeyRow, type NewKey, publishedRows, storeFirst } from './key-rows.ts';
import { FRESH_MS, REFRESH_MS } from './lifetimes.ts';
import { publicHalf, sealJwk, unsealJwk } from './sealed-jwk.ts';
import type { SigningKey } from './signing-key.ts';

/** The issuer's keys. They change while the server runs. */
export interface KeyRing {
  /**
   * The key that signs now. Ask at the moment of use.
   *
   * @throws StoreUnavailable when this instance has not seen the keys for long: others may have moved on
   */
  current(): SigningKey;
  /**
   * All keys that verifiers must accept, as the key set has them (RFC 7517): the current one, the next one, the previous ones. The same
   * array until something changes.
   *
   * @throws StoreUnavailable as `current`
   */
  published(): readonly JWK[];
  /** Looks at the database again. True when something has changed. */
  refresh(): Promise<boolean>;
  /**
   * Looks at the database again if it was too long ago.
   *
   * @throws StoreUnavailable when the database is away
   */
  fresh(): Promise<void>;
}

/** Two clocks. A machine that slept shows on the first, one whose time was set on the second. */
export interface Clocks {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Milliseconds of a monotonic clock. */
  elapsed: () => number;
}

/** This machine's clocks. */
export const systemClocks: Clocks = { now: Date.now, elapsed: () => performance.now() };

/** A published key, as this instance knows it. */
export interface RingKey extends KeyRow {
  publicJwk: JWK;
  /** What was opened. */
  jwe: string;
  /** Undefined for a key that was a previous one when it was opened: its private half is gone. */
  signing: SigningKey | undefined;
  /** Since when this instance publishes it, by the monotonic clock. */
  seenAt: number;
}

/** The keys in the database. */
export class DatabaseKeyRing implements KeyRing {
  readonly #store: Store;
  readonly #master: Buffer;
  readonly #clocks: Clocks;
  readonly #place: KeyPlace;
  #keys: readonly RingKey[] = [];
  #published: readonly JWK[] = [];
  #current: SigningKey | undefined;
  #readAt = { now: Number.NEGATIVE_INFINITY, elapsed: Number.NEGATIVE_INFINITY };
  #refreshing: Promise<boolean> | undefined;

  private constructor(store: Store, master: Buffer, clocks: Clocks, place: KeyPlace) {
    this.#store = store;
    this.#master = master;
    this.#clocks = clocks;
    this.#place = place;
  }

  /**
   * Reads the keys, or makes one at the first start.
   *
   * @param master the master key, 32 bytes
   * @param place where the first key is made
   * @throws Problem `signing-key-locked` when they cannot be opened with this master key; for the first key in KMS `kms-refused` or
   * `kms-unreachable`
   */
  static async open(store: Store, master: Buffer, clocks: Clocks, place = new KeyPlace()): Promise<DatabaseKeyRing> {
    const ring = new DatabaseKeyRing(store, master, clocks, place);
    if (!(await hasSigningKey(store))) await storeFirst(store, await place.key(master), clocks.now());
    await ring.refresh();
    return ring;
  }

  current(): SigningKey {
    this.#checkFresh();
    return this.#current as SigningKey;
  }

  published(): readonly JWK[] {
    this.#checkFresh();
    return this.#published;
  }

  /** The published keys with their states, as this instance saw them last. */
  get keys(): readonly RingKey[] {
    return this.#keys;
  }

  /** For how long this instance has published a key, in milliseconds of the monotonic clock. */
  publishedFor({ seenAt }: RingKey): number {
    return this.#clocks.elapsed() - seenAt;
  }

  /** Whether there is always another key to be had. AWS KMS has only the one that the setting names. */
  get makesKeys(): boolean {
    return this.#place.arn === undefined;
  }

  /**
   * A key to come after the current one, which can be stored.
   *
   * @throws Problem `kms-refused` or `kms-unreachable`
   */
  makeKey(): Promise<NewKey> {
    return this.#place.key(this.#master);
  }

  /** A stored key as it is kept when it signs no more: sealed, but without its private half. */
  async withoutPrivateHalf({ kid, jwe }: Pick<KeyRow, 'kid' | 'jwe'>): Promise<string> {
    return sealJwk({ ...publicHalf(await unsealJwk(kid, jwe, this.#master)), kid }, this.#master);
  }

  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#load().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async fresh(): Promise<void> {
    if (this.#isFresh()) return;
    await this.refresh();
  }

  async #load(): Promise<boolean> {
    const { now, elapsed } = this.#clocks;
    // Before the question: what the answer shows was true then, or later.
    const readAt = { now: now(), elapsed: elapsed() };
    const rows = await publishedRows(this.#store);
    const changed = !sameRows(rows, this.#keys);
    if (changed) await this.#take(rows);
    this.#readAt = readAt;
    return changed;
  }

  async #take(rows: readonly KeyRow[]): Promise<void> {
    const keys = await Promise.all(rows.map((row) => this.#open(row)));
    const current = keys.find(({ state }) => state === 'current')?.signing;
    if (current === undefined) throw new Error('the database has no current signing key');
    this.#keys = keys;
    this.#published = keys.map(({ publicJwk }) => publicJwk);
    this.#current = current;
  }

  /** A key that is open already stays as it was opened, even if the master key was changed since. */
  async #open(row: KeyRow): Promise<RingKey> {
    const known = this.#keys.find(({ kid }) => kid === row.kid);
    // A key in KMS may come back, or be asked for in another region.
    const signs = known?.signing !== undefined || row.state === 'previous';
    if (known !== undefined && signs && known.source === row.source) return { ...known, ...row, jwe: known.jwe };
    const jwk = await unsealJwk(row.kid, row.jwe, this.#master);
    return {
      ...row,
      publicJwk: publicHalf(jwk),
      signing: row.state === 'previous' ? undefined : await this.#place.open(jwk, row.source),
      seenAt: known?.seenAt ?? this.#clocks.elapsed(),
    };
  }

  #isFresh(): boolean {
    const { now, elapsed } = this.#clocks;
    // While a machine sleeps, its monotonic clock may stand still.
    return Math.abs(now() - this.#readAt.now) <= FRESH_MS && elapsed() - this.#readAt.elapsed <= FRESH_MS;
  }

  #checkFresh(): void {
    if (this.#isFresh()) return;
    throw new StoreUnavailable('the signing keys were last seen too long ago', Math.ceil(REFRESH_MS / 1000));
  }
}

function sameRows(rows: readonly KeyRow[], keys: readonly KeyRow[]): boolean {
  return rows.length === keys.length && rows.every((row, index) => isSame(row, keys[index]));
}

function isSame(row: KeyRow, key: KeyRow | undefined): boolean {
  return (
    row.kid === key?.kid && row.state === key.state && row.signs_from === key.signs_from && row.source === key.source
  );
}
