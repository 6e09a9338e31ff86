import { createHmac, createSecretKey } from 'node:crypto';
import { deriveKey } from '../secrets.ts';
import { wordsOf } from '../text/words.ts';

/** The words of a login, by the `code_challenge` of its request (RFC 7636). */
export type LoginWords = (codeChallenge: string) => string;

/**
 * Derives the words that the page and the terminal of one login both show. They are not stored: they follow from the request, by a key
 * that only the server has, so nobody can choose them. Somebody who copies another login's `code_challenge` gets the same words, but a
 * code that only the other can redeem.
 *
 * @param master the master key, 32 bytes
 */
export function loginWords(master: Buffer): LoginWords {
  const key = createSecretKey(deriveKey(master, 'login words'));
  return (codeChallenge) => wordsOf(createHmac('sha256', key).update(codeChallenge).digest());
}
