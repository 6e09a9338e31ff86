import { createInterface, type Interface } from 'node:readline';
import { Problem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';
import { Interrupted } from './interrupt.ts';

export interface Question {
  /** What is asked for, such as `Region`. */
  text: string;
  /** What an empty answer means; without one, an empty answer is an answer like any other. */
  byDefault?: string | undefined;
  /** Says what is wrong with an answer; then it is asked for again. */
  check: (answer: string) => string | undefined;
}

/** Somebody who answers questions. */
export type Ask = (question: Question) => Promise<string>;

/**
 * Lets a person be asked on the terminal: questions go to standard error, so that standard output stays the command's.
 *
 * @param conversation asks its questions
 * @throws Interrupted at Ctrl-C; Problem `no-input` at Ctrl-D; whatever the conversation throws
 */
export async function onTerminal<Result>(conversation: (ask: Ask) => Promise<Result>): Promise<Result> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const { promise: over, reject } = Promise.withResolvers<never>();
  const closed = () =>
    reject(new Problem({ kind: 'no-input', what: 'The questions were not answered, so nothing was changed.' }));
  terminal.once('SIGINT', () => reject(new Interrupted('SIGINT')));
  terminal.once('close', closed);
  // The question's line is still open.
  over.catch(() => process.stderr.write('\n'));
  try {
    return await conversation((question) => Promise.race([answered(terminal, question), over]));
  } finally {
    terminal.off('close', closed);
    terminal.close();
  }
}

async function answered(terminal: Interface, { text, byDefault, check }: Question): Promise<string> {
  for (;;) {
    const prompt = `${text}${byDefault === undefined ? '' : ` [${byDefault}]`}: `;
    const said = (await new Promise<string>((resolve) => terminal.question(prompt, resolve))).trim();
    const answer = said === '' ? (byDefault ?? '') : said;
    const wrong = check(answer);
    if (wrong === undefined) return answer;
    process.stderr.write(`  ${printable(wrong)}\n`);
  }
}
