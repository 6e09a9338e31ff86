import { Problem } from '../problem/problem.ts';

/**
 * Makes sure that a word may be written into a service's file.
 *
 * @param place the file's name for a person, such as "a unit of systemd"
 * @throws Problem `unit-text` when it holds a control character
 */
export function checkText(word: string, place: string): void {
  if (!/\p{Cc}/u.test(word)) return;
  throw new Problem({
    kind: 'unit-text',
    what: `A control character is in what ${place} must name.`,
    why: `It is in ${JSON.stringify(word)}.`,
    fix: 'Rename the folder or correct the variable, then try again.',
  });
}
