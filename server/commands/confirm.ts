import { createInterface } from 'node:readline/promises';
import { Problem } from '../problem/problem.ts';

/**
 * Asks before something that cannot be undone, on a terminal. A script says `--yes`.
 *
 * @param question a sentence that ends with a question mark
 * @throws Problem `not-confirmed` when the answer is no, `option-refused` when nobody can answer
 */
export async function confirm(question: string, { yes = false }: { yes?: boolean | undefined }): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new Problem({
      kind: 'option-refused',
      what: 'This asks before it does anything, and nobody can answer here.',
      fix: 'Add --yes.',
    });
  }
  // Standard output is the command's.
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // readline would take Ctrl-C for itself, but here it should end the program, as usual.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const answer = await Promise.race([terminal.question(`${question} [y/N] `), ended]);
  terminal.close();
  if (/^\s*y(es)?\s*$/i.test(answer)) return;
  throw new Problem({ kind: 'not-confirmed', what: 'Nothing was changed.' });
}
