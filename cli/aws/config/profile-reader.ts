import { statSync } from 'node:fs';
import { readProfiles, type VouchProfile } from './profiles.ts';

/** Reads profiles as `vouchProfiles` does, but a file again only when it has changed. */
export class ProfileReader {
  readonly #known = new Map<string, { stamp: string; profiles: VouchProfile[] }>();
  readonly #looks = new Map<string, { now: Promise<VouchProfile[]>; next?: Promise<VouchProfile[]> }>();

  /**
   * Reads the profiles, after a look whether the file has changed. Calls made during a look share the next look, because the
   * running one may have seen the file before their change.
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
    // A second change within one tick of the file system's clock would leave the same stamp.
    if (found && Date.now() - Number(found.mtimeNs / 1_000_000n) < clockTick) return profiles;
    this.#known.set(file, { stamp, profiles });
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostFiles && oldest !== undefined) this.#known.delete(oldest);
    return profiles;
  }
}

/** Longer than a tick of any file system's clock, in milliseconds: until then a file may change again without a new stamp. */
const clockTick = 100;

/** More config files than a person works with. The oldest is forgotten first. */
const mostFiles = 16;

/** The result of `stat`; undefined when it fails. */
function look<T>(stat: () => T): T | undefined {
  try {
    return stat();
  } catch {
    return undefined;
  }
}
