import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';
import { readVerifiedBlob, verifyBlob } from './blob.ts';
import type { Metadata } from './metadata.ts';
import { type MetadataSource, nameOf, readSource, versionOfFile } from './source.ts';
import { findStoredBlob, storeBlob } from './stored-blob.ts';

/** How long fetching, and then asking for lists of revoked certificates, may take, in milliseconds. */
const PATIENCE_MS = 60_000;

/** How long to wait after a fetch that worked, and after one that failed, in milliseconds. FIDO publishes about once a month. */
const [FETCH_EVERY_MS, RETRY_AFTER_MS] = [24 * 3600_000, 3600_000];

/** What of the server it needs. */
interface Needs {
  store: Store;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** An edition, and a hash of the blob that it was read from. */
interface Edition {
  metadata: Metadata;
  hash: string;
}

/**
 * The latest edition of FIDO's metadata that we know. It is in memory, so that no request waits for it, and in the database, so that a
 * start without the network has it too.
 *
 * SimpleWebAuthn's `MetadataService` keeps it in memory alone, and fetches it while a person waits.
 */
export class LatestMetadata {
  readonly #source: MetadataSource;
  readonly #needs: Needs;
  readonly #closing = new AbortController();
  #edition: Edition;
  /** The file as it was when it was last read. */
  #fileVersion: string | undefined;
  /** When the URL is fetched next. */
  #nextFetch = 0;
  #refreshing: Promise<void> | undefined;

  private constructor(source: MetadataSource, needs: Needs, edition: Edition) {
    this.#source = source;
    this.#needs = needs;
    this.#edition = edition;
  }

  /**
   * Takes the edition from the database, and a newer one from the source if that is a file. Without one in the database, the source
   * must have one.
   *
   * @throws Problem `metadata-refused` when there is none to begin with
   */
  static async open(source: MetadataSource, needs: Needs): Promise<LatestMetadata> {
    const { store, now } = needs;
    const stored = await findStoredBlob(store);
    const latest = new LatestMetadata(
      source,
      needs,
      stored === undefined
        ? await firstEdition(source, needs)
        : { metadata: readVerifiedBlob(stored.blob), hash: hashOf(stored.blob) },
    );
    latest.#nextFetch = (stored?.fetchedAt ?? now()) + FETCH_EVERY_MS;
    latest.#say();
    if ('file' in source) await latest.refresh();
    else latest.#warnIfOverdue();
    return latest;
  }

  get current(): Metadata {
    return this.#edition.metadata;
  }

  /**
   * Takes what another instance has stored meanwhile, and reads the source again if the file has changed or the URL's time has come. If
   * that fails, it keeps what it has and logs the error. Call it every minute or so; it never throws.
   *
   * @param fetches whether this is the instance that asks the URL
   * @returns whether there is a newer edition now
   */
  async refresh({ fetches = true } = {}): Promise<boolean> {
    const before = this.#edition;
    this.#refreshing ??= this.#read(fetches)
      .catch((err: Error) => {
        if (this.#closing.signal.aborted) return;
        const { number } = this.current;
        this.#needs.log.error({ err, source: nameOf(this.#source), number }, 'FIDO metadata not read: keeping the old');
      })
      .finally(() => {
        this.#refreshing = undefined;
      });
    await this.#refreshing;
    return this.#edition !== before;
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#refreshing;
  }

  async #read(fetches: boolean): Promise<void> {
    const { store, now, log } = this.#needs;
    await this.#adoptStored();
    if ('url' in this.#source && !fetches) return;
    if (!(await this.#isDue())) return;
    const blob = await readSource(this.#source, PATIENCE_MS, this.#closing.signal);
    if (hashOf(blob) !== this.#edition.hash) {
      const metadata = await verifyBlob(blob, now(), PATIENCE_MS);
      const { number } = this.current;
      if (metadata.number > number) {
        await storeBlob(store, { number: metadata.number, blob, source: nameOf(this.#source) }, now());
        this.#edition = { metadata, hash: hashOf(blob) };
        this.#say();
      } else if (metadata.number < number) {
        // An old edition does not know the latest compromises (FIDO Metadata Service v3.1, section 3.2).
        log.warn({ source: nameOf(this.#source), number: metadata.number, newer: number }, 'old FIDO metadata refused');
      }
    }
    this.#nextFetch = now() + FETCH_EVERY_MS;
    this.#warnIfOverdue();
  }

  async #adoptStored(): Promise<void> {
    const stored = await findStoredBlob(this.#needs.store, this.current.number);
    if (stored === undefined) return;
    this.#edition = { metadata: readVerifiedBlob(stored.blob), hash: hashOf(stored.blob) };
    this.#nextFetch = stored.fetchedAt + FETCH_EVERY_MS;
    this.#say();
  }

  async #isDue(): Promise<boolean> {
    if ('file' in this.#source) {
      const version = await versionOfFile(this.#source.file).catch(() => 'none');
      const changed = version !== this.#fileVersion;
      this.#fileVersion = version;
      return changed;
    }
    const now = this.#needs.now();
    // A clock that was far ahead must not put it off for long.
    const due = now >= this.#nextFetch || now < this.#nextFetch - FETCH_EVERY_MS;
    if (due) this.#nextFetch = now + RETRY_AFTER_MS;
    return due;
  }

  #say(): void {
    const { number, nextUpdate, models } = this.current;
    this.#needs.log.info({ number, models: models.size, nextUpdate: new Date(nextUpdate) }, 'FIDO metadata');
  }

  #warnIfOverdue(): void {
    const { log, now } = this.#needs;
    const { number, nextUpdate } = this.current;
    if (nextUpdate < now())
      log.warn({ number, nextUpdate: new Date(nextUpdate) }, 'FIDO metadata is overdue, still used');
  }
}

async function firstEdition(source: MetadataSource, { store, now }: Needs): Promise<Edition> {
  try {
    const blob = await readSource(source, PATIENCE_MS);
    const metadata = await verifyBlob(blob, now(), PATIENCE_MS);
    await storeBlob(store, { number: metadata.number, blob, source: nameOf(source) }, now());
    return { metadata, hash: hashOf(blob) };
  } catch (cause) {
    throw new Problem({
      kind: 'metadata-refused',
      what: `FIDO's metadata cannot be used: ${nameOf(source)} (VOUCH_FIDO_METADATA).`,
      why: `The reason: ${cause instanceof Error ? cause.message : cause}.`,
      fix: 'Correct the setting or the network, or give the file that https://mds3.fidoalliance.org/ returns.',
      cause,
    });
  }
}

const hashOf = (blob: string) => createHash('sha256').update(blob).digest('base64');
