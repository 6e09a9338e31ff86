import { createHash } from 'node:crypto';

/** The words to which `marked` adds a checksum. */
export const markPlace = 'Written by `vouch agent install`';

const mark = /Written by `vouch agent install` \(([0-9a-f]{16})\)/;

/** Adds a checksum to the mark in a text. It shows later whether the text was changed. */
export function marked(text: string): string {
  return text.replace(markPlace, `${markPlace} (${checksum(text)})`);
}

/** Who wrote a file. `nobody`: there is no file. `changed`: Vouch wrote it, and somebody has changed it since. `other`: not Vouch. */
export type Author = 'nobody' | 'vouch' | 'changed' | 'other';

/** @param content undefined when there is no such file */
export function authorOf(content: string | undefined): Author {
  if (content === undefined) return 'nobody';
  const found = mark.exec(content)?.[1];
  if (found === undefined) return 'other';
  return checksum(content.replace(mark, markPlace)) === found ? 'vouch' : 'changed';
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
