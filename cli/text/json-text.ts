import { unseen } from './printable.ts';

/**
 * JSON for programs, which people look at too. It may contain text from a server or a file. So characters that cannot be seen, control
 * a terminal or reorder the text are written as `\uXXXX`, which means the same in JSON.
 *
 * @param indent blanks for each level; by default all is on one line
 */
export function jsonText(value: unknown, indent?: number): string {
  const escaped = (text: string) =>
    // A line break can only be between values: in a string it is escaped already.
    text === '\n' ? text : Array.from({ length: text.length }, (_, at) => unit(text.charCodeAt(at))).join('');
  return JSON.stringify(value, null, indent).replace(new RegExp(unseen, 'gu'), escaped);
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
