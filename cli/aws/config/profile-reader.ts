import { statSync } from 'node:fs';
import { readProfiles, type VouchProfile } from './profiles.ts';

/** Reads profiles as `vouchProfiles` does, but reads a file again only when it has changed. */
export class ProfileReader {
  readonly #known = new Map<string, { stamp: string; profiles: VouchProfile[] }>();
  readonly #looks = new Map<string, { now: Promise<VouchProfile[]>; next?: Promise<VouchProfile[]> }>();

  /**
   * Looks whether a file has changed, once for all who ask while it is being looked at for somebody before them. That look
   * itself is not for them: what it saw may be older than their question.
   *
   * @param file the config file, an absolute path
   */
  read(file: string): Promise<VouchProfile[]> {
    const look = this.#looks.get(file);
    if (look === undefined) return this.#look(file);
    look.next ??= look.now.catch(() => {}).then(() => this.#look(file));
    return look.next;
  }

  #look(file: string): Promise<VouchProfile[]> {
    const now = this.#readIfChanged(file).finally(() => {
      if (this.#looks.get(file)?.now === now) this.#looks.delete(file);
    });
    this.#looks.set(file, { now });
    return now;
  }

  async #readIfChanged(file: string): Promise<VouchProfile[]> {
    const found = look(() => statSync(file, { bigint: true }));
    const stamp = found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : 'none';
    const known = this.#known.get(file);
    if (known?.stamp === stamp) return known.profiles;
    const profiles = await readProfiles(file);
    this.#known.delete(file);
    // Whoever changes it again within one tick of the file system's clock leaves the same stamp.
    if (found && Date.now() - Number(found.mtimeNs / 1_000_000n) < restless) return profiles;
    this.#known.set(file, { stamp, profiles });
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostFiles && oldest !== undefined) this.#known.delete(oldest);
    return profiles;
  }
}

/** For how long after its last change a file may change without a new stamp, in milliseconds: no file system's clock is coarser. */
const restless = 100;

/** More config files than a person works with; the oldest goes first. */
const mostFiles = 16;

/** What there is to know of a file; undefined when it cannot be looked at. */
function look<T>(stat: () => T): T | undefined {
  try {
    return stat();
  } catch {
    return undefined;
  }
}
