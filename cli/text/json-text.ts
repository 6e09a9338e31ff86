import { unseen } from './printable.ts';

/**
 * JSON for programs, which people look at too. What cannot be seen, or would steer a terminal or reorder the text, is written as
 * `\uXXXX`, which means the same to whoever reads JSON: text of others (a server's, a file's) is in it as they wrote it.
 *
 * @param indent how far each level is indented, in blanks; on one line when it is left out
 */
export function jsonText(value: unknown, indent?: number): string {
  const escaped = (text: string) =>
    // A line break is none of a string's: that is escaped already.
    text === '\n' ? text : Array.from({ length: text.length }, (_, at) => unit(text.charCodeAt(at))).join('');
  return JSON.stringify(value, null, indent).replace(new RegExp(unseen, 'gu'), escaped);
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
