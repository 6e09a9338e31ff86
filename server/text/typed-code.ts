import { randomBytes } from 'node:crypto';

/** Crockford's base 32, in which no character is mistaken for another. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A code that nobody can predict, for people to read out and to type. @param length in characters, of 5 bits each */
export function randomTypedCode(length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte % 32]).join('');
}

/** A code in groups, with hyphens between them. */
export function inGroups(code: string, size: number): string {
  return (code.match(new RegExp(`.{1,${size}}`, 'g')) ?? []).join('-');
}

/**
 * A code as the server has it, by what somebody typed: perhaps in lower case, without hyphens or with other dashes, with O for 0 and I or L
 * for 1 (Crockford's base 32). What is no code stays none.
 */
export function readTypedCode(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
}
