import { lchownSync } from 'node:fs';
import { onTestFinished, vi } from 'vitest';

/** Whether the tests run as root, who alone can give a file away. Everybody else pretends to be another user than the owner. */
export const superuser = process.getuid?.() === 0;

/** A user ID that is nobody's. */
export const stranger = 4711;

/** Makes a file look as another user's to whoever asks `process.getuid`. @returns whom it belongs to, and who we are then */
export function giveAway(path: string): { owner: number; me: number } {
  if (superuser) {
    lchownSync(path, stranger, stranger);
    return { owner: stranger, me: 0 };
  }
  beUser(stranger);
  return { owner: process.geteuid?.() ?? 0, me: stranger };
}

/** Makes us root, and a file another user's, as under `sudo -E`. @returns whom it belongs to */
export function beRootWith(path: string): number {
  if (superuser) return giveAway(path).owner;
  beUser(0);
  return process.geteuid?.() ?? 0;
}

function beUser(uid: number): void {
  const getuid = vi.spyOn(process, 'getuid').mockReturnValue(uid);
  onTestFinished(() => getuid.mockRestore());
}
