import { Problem } from '../problem/problem.ts';

/**
 * Makes sure that a word may be written into a service's file.
 *
 * @param place the file's name for a person, such as "the systemd unit"
 * @throws Problem `unit-text` when the word contains a control character
 */
export function checkText(word: string, place: string): void {
  if (!/\p{Cc}/u.test(word)) return;
  throw new Problem({
    kind: 'unit-text',
    what: `A path or value for ${place} contains a control character.`,
    why: `It is ${JSON.stringify(word)}.`,
    fix: 'Rename the folder or correct the variable, then try again.',
  });
}
