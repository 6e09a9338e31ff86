import { randomBytes } from 'node:crypto';
import { hash } from '../secrets.ts';

/** Crockford's alphabet, in which no character is mistaken for another. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A new code: 130 bits in groups of six characters. */
export function makeCode(): string {
  const characters = Array.from(randomBytes(26), (byte) => ALPHABET[byte % 32]).join('');
  return (characters.match(/.{1,6}/g) ?? []).join('-');
}

/**
 * The stored form of a code. People may type it in lower case, without hyphens or with other dashes, with O for 0 and I or L for 1
 * (Crockford's base 32).
 */
export function hashCode(code: string): string {
  const typed = code
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
  return hash(typed);
}
