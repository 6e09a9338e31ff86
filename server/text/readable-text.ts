/**
 * Whether a reader sees all of a text, on one line: letters and signs with plain spaces between them.
 *
 * Not readable are control and format characters (bidirectional ones too), characters that fonts draw nothing for (Unicode's
 * Default_Ignorable_Code_Point, such as the Hangul fillers, and the blank of Braille), other spaces than the plain one, accents on
 * nothing, and stacks of accents, which cover the lines around them.
 */
export function isReadable(text: string): boolean {
  return (
    !/[\p{C}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Z}|\p{M}{4}/u.test(text) &&
    !/(?:^|\p{Z})\p{M}/u.test(text) &&
    /[^ ]/.test(text)
  );
}

/** A library's message, made safe for the log: it may quote what a stranger sent, at any length and with terminal control codes. */
export function forLog(message: string): string {
  return message.slice(0, 300).replace(/\p{C}+/gu, ' ');
}

/** The same for a terminal: of any length, and with its line ends. */
export function forTerminal(text: string): string {
  return text.replace(/[^\P{C}\n]+|[\u2028\u2029]/gu, ' ');
}
