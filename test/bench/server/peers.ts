import { resolve } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { Child } from './child.ts';
import type { CryptoRound } from './crypto-alone.ts';
import type { ActivePerson, Job, LoadResult } from './load.ts';

const here = (file: string) => resolve(import.meta.dirname, file);

/** The processes beside the server: the load generator, bare oidc-provider, and the cryptography alone. */
export class Peers implements AsyncDisposable {
  readonly people: readonly ActivePerson[];
  readonly bareIssuer: string;
  readonly #load: Child;
  readonly #bare: Child;
  readonly #crypto: Child;

  private constructor(people: readonly ActivePerson[], bareIssuer: string, children: [Child, Child, Child]) {
    this.people = people;
    this.bareIssuer = bareIssuer;
    [this.#load, this.#bare, this.#crypto] = children;
  }

  static async start(signal: AbortSignal): Promise<Peers> {
    const port = await freePort();
    const load = new Child(here('load.ts'));
    const bare = new Child(here('bare-provider.ts'), [String(port)]);
    const crypto = new Child(here('crypto-alone.ts'));
    const children: [Child, Child, Child] = [load, bare, crypto];
    try {
      const [people] = await Promise.all([load.next<ActivePerson[]>(signal), bare.next(signal)]);
      return new Peers(people, `http://localhost:${port}`, children);
    } catch (error) {
      for (const child of children) await child.end();
      throw error;
    }
  }

  get barePid(): number {
    return this.#bare.pid;
  }

  load(job: Job, signal: AbortSignal): Promise<LoadResult> {
    return this.#load.ask(job, signal);
  }

  /** @returns the processor time of a round, in milliseconds */
  crypto(round: CryptoRound, signal: AbortSignal): Promise<number> {
    return this.#crypto.ask(round, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.#load, this.#bare, this.#crypto]) await child.end();
  }
}
