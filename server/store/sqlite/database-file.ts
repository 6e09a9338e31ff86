import { existsSync, realpathSync } from 'node:fs';
import type { DatabaseFile } from '../engine.ts';
import type { Store } from '../store.ts';
import { checkContent } from './check-content.ts';
import { copyBeside, nameBeside } from './copy.ts';
import { openFile } from './open-store.ts';
import { becomeOwnerOf } from './owner.ts';
import { BESIDE, checkUnused, discard, putInPlace } from './put-in-place.ts';

/** The file of the embedded database. */
export class SqliteFile implements DatabaseFile {
  readonly #name: string;

  /** @param name an absolute path */
  constructor(name: string) {
    this.#name = name;
  }

  /** The file itself, if the name is a link to it. */
  get #path(): string {
    return existsSync(this.#name) ? realpathSync(this.#name) : this.#name;
  }

  becomeOwner(): void {
    becomeOwnerOf(this.#name);
  }

  copy(now: number): string {
    return copyBeside(this.#path, now);
  }

  exists(): boolean {
    return ['', ...BESIDE].some((ending) => existsSync(this.#path + ending));
  }

  checkUnused(): void {
    checkUnused(this.#path);
  }

  draft(): string {
    return nameBeside(this.#path, 'restore');
  }

  check(path: string): void {
    checkContent(path);
  }

  openDraft(path: string): Promise<Store> {
    return openFile(path);
  }

  putInPlace(draft: string, now: number): string | undefined {
    const path = this.#path;
    const aside = `${path}.before-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
    return putInPlace(draft, path, aside) ? aside : undefined;
  }

  discard(path: string): void {
    discard(path);
  }
}
