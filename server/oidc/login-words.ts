import { createHmac } from 'node:crypto';
import { deriveKey } from '../secrets.ts';
import { wordsOf } from '../text/words.ts';

/** The words of a login, by the `code_challenge` of its request (RFC 7636). */
export type LoginWords = (codeChallenge: string) => string;

/**
 * The words that the page and the terminal of one login both show. Nothing keeps them: they follow from the request, by a key
 * that only the server has. So nobody can choose them; and who asks with another's `code_challenge` to get the other's words
 * gets a code that only the other can redeem.
 *
 * @param master the master key, 32 bytes
 */
export function loginWords(master: Buffer): LoginWords {
  const key = deriveKey(master, 'login words');
  return (codeChallenge) => wordsOf(createHmac('sha256', key).update(codeChallenge).digest());
}
