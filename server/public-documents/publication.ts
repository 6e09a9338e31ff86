import type { Logger } from 'pino';
import type { Store } from '../store/store.ts';
import { arePublishedElsewhere, type Issuers, type PublishedKey } from './documents.ts';
import { addLook, type Found, isEverywhere, loadFound, lookedElsewhere, saveFound } from './found.ts';
import { lookFromOutside, type Trouble } from './look.ts';

/** How often the documents are looked at when nothing is expected of them, in milliseconds. */
const CALM_MS = 10 * 60_000;

/** How long what was found is believed, in milliseconds: some looks may fail for a reason of ours. */
const BELIEVED_MS = 30 * 60_000;

/** What the server needs to watch its public documents. */
export interface PublicationContext {
  config: Issuers;
  store: Store;
  log: Logger;
  /** Next, current and previous, at this moment. */
  keys: () => readonly PublishedKey[];
  /** Milliseconds since the epoch. */
  now: () => number;
}

/**
 * The public documents on a static host, as the server knows them. One instance looks, and all find in the database what it saw. If AWS
 * reads from the server itself, there is nothing to look at.
 */
export class Publication {
  readonly #context: PublicationContext;
  #running: Promise<void> | undefined;
  #told = '';

  constructor(context: PublicationContext) {
    this.#context = context;
  }

  /** Whether AWS reads from a static host. */
  get isElsewhere(): boolean {
    return arePublishedElsewhere(this.#context.config);
  }

  /** Looks if it is time to, at most once a minute. To be called once a minute by one instance. It never throws. */
  look(): Promise<void> {
    if (!this.isElsewhere) return Promise.resolve();
    this.#running ??= this.#look()
      .catch((err) => this.#context.log.error({ err }, 'the public documents were not looked at'))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** Waits for a look under way. */
  async close(): Promise<void> {
    await this.#running;
  }

  /**
   * Whether a next key may sign: AWS finds it in the public documents, and nobody still has an older copy.
   *
   * @param kid its name
   */
  async maySign(kid: string): Promise<boolean> {
    const { now, store, config } = this.#context;
    // Another instance may have a setting that this one lacks. Then AWS reads the keys where only that one looks.
    const other = await lookedElsewhere(store, config.awsIssuer);
    if (other !== undefined && isRecent(other, now())) return false;
    if (!this.isElsewhere) return true;
    const { read } = (await this.found()) ?? {};
    return read !== undefined && isRecent(read.at, now()) && isEverywhere(read, kid);
  }

  /** What was found; undefined if nobody has looked yet. */
  found(): Promise<Found | undefined> {
    const { store, config } = this.#context;
    return loadFound(store, config.awsIssuer);
  }

  /**
   * Makes sure that AWS can use the key that signs now.
   *
   * @throws Error, for the log, when it cannot
   */
  async checkCurrent(): Promise<void> {
    const { keys, now } = this.#context;
    const found = await this.found();
    // The first look is under way.
    if (found === undefined) return;
    const current = keys().find(({ state }) => state === 'current');
    if (current !== undefined && found.read?.keys[current.kid] !== undefined && isRecent(found.read.at, now())) return;
    throw new Error(`AWS cannot use the public documents: ${found.troubles.map(({ kind }) => kind).join(', ')}`);
  }

  async #look(): Promise<void> {
    const { config, store, now } = this.#context;
    const keys = this.#context.keys();
    const before = await this.found();
    if (before !== undefined && isCalm(before, keys, now())) return;
    const found = addLook(before, await lookFromOutside(config, keys, now()));
    await saveFound(store, config.awsIssuer, found);
    this.#tell(found.troubles);
  }

  /** The log hears once of each change. */
  #tell(troubles: readonly Trouble[]): void {
    const { log, config } = this.#context;
    const now = troubles.map((trouble) => `${trouble.kind} ${'kid' in trouble ? trouble.kid : trouble.url}`).join();
    if (now === this.#told) return;
    this.#told = now;
    const issuer = config.awsIssuer;
    if (troubles.length > 0) log.warn({ issuer, troubles }, 'AWS cannot use the public documents as it should');
    else log.info({ issuer }, 'AWS can use the public documents');
  }
}

/** Whether nothing has happened since that calls for another look. */
function isCalm({ at, troubles, read }: Found, keys: readonly PublishedKey[], now: number): boolean {
  const waits = keys.some(({ kid, state }) => state === 'next' && !isEverywhere(read, kid));
  const changed = keys.some(({ kid }) => read?.keys[kid] === undefined);
  return troubles.length === 0 && !waits && !changed && Math.abs(now - at) < CALM_MS;
}

const isRecent = (at: number, now: number) => Math.abs(now - at) <= BELIEVED_MS;
