/**
 * The words that a server gives to a terminal and to its page: small letters and spaces, and few of them. Undefined when they
 * are something else, which no terminal shows.
 */
export function readWords(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= 64 && /^[a-z]+( [a-z]+)*$/.test(value) ? value : undefined;
}
