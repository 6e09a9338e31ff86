/**
 * The words that a server sends to a terminal and shows on its page: a few, in small letters, with spaces between them. Undefined
 * for anything else, which no terminal should show.
 */
export function readWords(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= 64 && /^[a-z]+( [a-z]+)*$/.test(value) ? value : undefined;
}
