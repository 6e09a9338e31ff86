import type { HeldCredentials } from './held-credentials.ts';
import type { RenewalSchedule } from './renewal-schedule.ts';
import type { RoleChain } from './role-chain.ts';

/** More roles and regions than a person works with. The oldest entry is dropped first. */
const mostEntries = 100;

export interface Entry {
  /** See keyOf. */
  key: string;
  chain: RoleChain;
  region: string;
  credentials: HeldCredentials;
  schedule: RenewalSchedule;
  /** Why the last renewal failed, if it did. */
  trouble?: string | undefined;
  /** The renewal under way. It never fails. */
  renewing?: Promise<void> | undefined;
}

/** A session's AWS credentials that have not expired. Discarded ones are overwritten. */
export class CredentialCache {
  readonly #entries = new Map<string, Entry>();

  /** Puts an entry in the place of an earlier one of the same roles and region. */
  put(entry: Entry): void {
    const name = nameOf(entry);
    this.#discard(name);
    this.#entries.set(name, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > mostEntries && oldest !== undefined) this.#discard(oldest);
  }

  all(): Entry[] {
    for (const [name, { credentials }] of this.#entries) {
      if (credentials.expiry.over) this.#discard(name);
    }
    return [...this.#entries.values()];
  }

  /** The entry that lasts longest, of this region; by default of any region. */
  find(key: string, region: string | undefined): Entry | undefined {
    return this.all()
      .filter((entry) => entry.key === key && (region === undefined || entry.region === region))
      .sort((a, b) => b.credentials.expiry.left - a.credentials.expiry.left)[0];
  }

  /** Discards all entries at once. */
  drop(): void {
    for (const { credentials } of this.#entries.values()) credentials.wipe();
    this.#entries.clear();
  }

  #discard(name: string): void {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    // Not at once: a caller may be about to read what it was just given.
    if (entry) setImmediate(() => entry.credentials.wipe());
  }
}

function nameOf({ key, region }: Entry): string {
  return `${key} ${region}`;
}
