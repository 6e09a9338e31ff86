/**
 * A character that is not seen where it stands: control and format characters, among them those that reorder text, line breaks, what
 * Unicode says may be left out when text is shown (fillers, variation selectors, tags), and the empty pattern of Braille.
 */
export const unseen = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\u2800]';

/**
 * Text from elsewhere (a server, AWS, a file) as one line that cannot steer a terminal, in which all that there is can be seen: other
 * characters become spaces, and length is bounded.
 *
 * @param text what somebody else wrote
 * @param max the longest result, in characters
 */
export function printable(text: string, max = 1000): string {
  const clean = text.replace(new RegExp(`${unseen}+`, 'gu'), ' ').trim();
  return clean.length > max ? `${clean.slice(0, max - 1)}…` : clean;
}
