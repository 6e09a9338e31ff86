import { lchownSync } from 'node:fs';
import { onTestFinished, vi } from 'vitest';

/** Whether the tests run as root. Only root can give a file away; without root the tests pretend to be another user. */
export const superuser = process.getuid?.() === 0;

/** A user ID that no user has. */
export const stranger = 4711;

/** Makes a file belong to another user than `process.getuid` returns. @returns the file's owner, and our user ID from then on */
export function giveAway(path: string): { owner: number; me: number } {
  if (superuser) {
    lchownSync(path, stranger, stranger);
    return { owner: stranger, me: 0 };
  }
  beUser(stranger);
  return { owner: process.geteuid?.() ?? 0, me: stranger };
}

/** Makes us root, and a file another user's, as under `sudo -E`. @returns the file's owner */
export function beRootWith(path: string): number {
  if (superuser) return giveAway(path).owner;
  beUser(0);
  return process.geteuid?.() ?? 0;
}

function beUser(uid: number): void {
  const getuid = vi.spyOn(process, 'getuid').mockReturnValue(uid);
  onTestFinished(() => getuid.mockRestore());
}
