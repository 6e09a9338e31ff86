import { createHash } from 'node:crypto';

/** The words that `marked` turns into a mark. */
export const markPlace = 'Written by `vouch agent install`';

const mark = /Written by `vouch agent install` \(([0-9a-f]{16})\)/;

/** Puts a checksum into a text's mark, which tells later whether somebody has changed the text. */
export function marked(text: string): string {
  return text.replace(markPlace, `${markPlace} (${checksum(text)})`);
}

/** Who wrote a file: nobody, Vouch, Vouch with a change by somebody else since, or somebody else. */
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
