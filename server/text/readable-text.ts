/**
 * Whether a person who sees a text sees all of it, on one line: letters and signs with plain spaces between them.
 *
 * Not so are control and format characters (bidirectional ones too), what a font draws nothing for (Unicode's
 * Default_Ignorable_Code_Point, such as the Hangul fillers, and the blank of Braille), spaces that look like others, accents
 * on nothing, and accents in heaps, which cover the lines around them.
 */
export function isReadable(text: string): boolean {
  return (
    !/[\p{C}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Z}|\p{M}{4}/u.test(text) &&
    !/(?:^|\p{Z})\p{M}/u.test(text) &&
    /[^ ]/.test(text)
  );
}

/** A library's message as it may be logged: it may quote what a stranger sent, at any length, and with what steers a terminal in it. */
export function forLog(message: string): string {
  return message.slice(0, 300).replace(/\p{C}+/gu, ' ');
}
