import type { Logger } from 'pino';
import { inFull } from '../text/time.ts';
import { checkTlsPair, readTlsFiles, type TlsFiles, type TlsPair } from './tls.ts';

/** The pause between two looks at the files, in milliseconds. */
const EVERY_MS = 5_000;

/**
 * Looks again and again at the files of the server's certificate and key, and passes on what is new. It reads them, because no other sign
 * of a change is the same for a file that is written in place, one that is renamed, and a link to a folder that is swapped (Kubernetes).
 * While they do not belong together, cannot be read, or are over before the old ones are, nothing changes.
 */
export class TlsWatch {
  readonly #files: TlsFiles;
  readonly #log: Logger;
  readonly #use: (pair: TlsPair) => void;
  readonly #timer: NodeJS.Timeout;
  #pair: TlsPair;
  /** What the last look found in the files. */
  #seen: string;
  /** Why the last look was of no use. */
  #told: string | undefined;

  /** @param use called with each new pair */
  constructor({ files, pair }: { files: TlsFiles; pair: TlsPair }, log: Logger, use: (pair: TlsPair) => void) {
    this.#files = files;
    this.#log = log;
    this.#use = use;
    this.#pair = pair;
    this.#seen = pair.cert + pair.key;
    this.#timer = setInterval(() => this.look(), EVERY_MS);
    if (pair.expiresAt <= Date.now()) log.error({ notAfter: new Date(pair.expiresAt) }, 'the TLS certificate is over');
  }

  /** When the certificate in use ends, in milliseconds since the epoch. */
  get expiresAt(): number {
    return this.#pair.expiresAt;
  }

  /** Looks now. */
  look(): void {
    try {
      const found = readTlsFiles(this.#files);
      if (!this.#isNews(found.cert + found.key)) return;
      const pair = checkTlsPair(this.#files, found);
      if (pair.expiresAt <= Date.now() && this.#pair.expiresAt > Date.now()) {
        throw new Error(`the certificate in ${this.#files.certFile} ended on ${inFull(pair.expiresAt)}`);
      }
      this.#pair = pair;
    } catch (error) {
      this.#keepOld(error as Error);
      return;
    }
    this.#told = undefined;
    this.#use(this.#pair);
    this.#log.info({ notAfter: new Date(this.#pair.expiresAt) }, 'TLS certificate renewed');
  }

  #isNews(found: string): boolean {
    const before = this.#seen;
    this.#seen = found;
    return found !== before;
  }

  /** Each state of the files is told once. */
  #keepOld({ message }: Error): void {
    if (message !== this.#told) this.#log.warn({ reason: message }, 'TLS files not used: keeping the old certificate');
    this.#told = message;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
