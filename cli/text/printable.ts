/**
 * Matches a character that cannot be seen: control and format characters (some reorder text), line breaks, characters that Unicode
 * allows to be left out (fillers, variation selectors, tags), and Braille's empty pattern.
 */
export const unseen = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\u2800]';

/**
 * Text from elsewhere (a server, AWS, a file) as one line that is safe on a terminal: each run of unseen characters becomes a space.
 *
 * @param max the longest result, in characters
 */
export function printable(text: string, max = 1000): string {
  const clean = text.replace(new RegExp(`${unseen}+`, 'gu'), ' ').trim();
  return clean.length > max ? `${clean.slice(0, max - 1)}…` : clean;
}
