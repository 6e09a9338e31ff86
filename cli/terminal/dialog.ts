import { createInterface } from 'node:readline/promises';
import { addAbortSignal } from 'node:stream';
import type { Note } from '../problem/note.ts';
import { Problem } from '../problem/problem.ts';
import { fitted } from '../text/hang.ts';
import { printable } from '../text/printable.ts';

/** Longer than any answer, in characters. */
const longest = 1024;

/** Questions and their answers: from a person on the terminal, or from a script on standard input. */
export interface Dialog {
  /** Whether a person answers. Only a person is shown the questions. */
  isPerson: boolean;
  /**
   * Asks a question, and takes a line for the answer.
   *
   * @returns the line, without the space around it; undefined at Ctrl-D, and at the end of standard input
   */
  line(question: string): Promise<string | undefined>;
  /** Takes no more lines, so that the program need not wait for the end of its input. */
  close(): void;
}

/** Where a person reads the questions. */
type Output = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/**
 * Opens a dialog: with a person, if standard input is a terminal; otherwise with a script. So a script's answers are in no argument
 * list.
 *
 * @param signal ends the wait for an answer, which then throws the signal's reason
 * @param output where a person reads the questions; by default standard error, because standard output is the command's
 */
export function openDialog(signal: AbortSignal, output: Output = process.stderr): Dialog {
  return process.stdin.isTTY ? withPerson(signal, output) : withScript(signal);
}

function withPerson(signal: AbortSignal, output: Output): Dialog {
  return {
    isPerson: true,
    line: async (question) => {
      const terminal = createInterface({ input: process.stdin, output });
      // readline would take Ctrl-C for itself, but here it should end the program, as usual.
      terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      try {
        return (await terminal.question(fitted(question, output), { signal })).trim();
      } catch {
        // The question's line is still open.
        output.write('\n');
        signal.throwIfAborted();
        return undefined;
      } finally {
        terminal.close();
      }
    },
    close: () => {},
  };
}

function withScript(signal: AbortSignal): Dialog {
  let chunks: NodeJS.AsyncIterator<string> | undefined;
  let text = '';
  return {
    isPerson: false,
    line: async () => {
      // The signal is added with the first read: an error of a stream that nothing reads would go unhandled.
      chunks ??= addAbortSignal(signal, process.stdin.setEncoding('utf8'))[Symbol.asyncIterator]();
      while (!text.includes('\n') && text.length <= longest) {
        const { done, value } = await chunks.next().catch((error: unknown) => {
          signal.throwIfAborted();
          throw error;
        });
        if (!done) text += value;
        else if (text === '') return undefined;
        else break;
      }
      const [line = '', ...rest] = text.split('\n');
      text = rest.join('\n');
      return line.slice(0, longest).trim();
    },
    close: () => void chunks?.return?.(),
  };
}

export interface Question {
  /** The wanted value, such as `Region`. */
  text: string;
  /** The value of an empty answer; undefined if an empty answer has no special meaning. */
  byDefault?: string | undefined;
  /** Returns what is wrong with an answer. Then the question is asked again. */
  check: (answer: string) => Note | undefined;
}

export type Ask = (question: Question) => Promise<string>;

/**
 * Asks a person until the answer is right.
 *
 * @throws Problem `no-input` when there is no answer
 */
export async function ask(dialog: Dialog, { text, byDefault, check }: Question): Promise<string> {
  const prompt = `${text}${byDefault === undefined ? '' : ` [${byDefault}]`}: `;
  for (;;) {
    const line = await dialog.line(prompt);
    if (line === undefined) {
      throw new Problem({ kind: 'no-input', what: 'The questions were not answered, so nothing was changed.' });
    }
    const answer = line === '' ? (byDefault ?? '') : line;
    const wrong = check(answer);
    if (wrong === undefined) return answer;
    // Without the note's fix, which is for the command line.
    for (const part of [wrong.what, wrong.why ?? '']) {
      if (part !== '') process.stderr.write(`${fitted(`  ${printable(part)}`, process.stderr)}\n`);
    }
  }
}

/**
 * Asks whether to do something. Only `y` and `yes` mean yes.
 *
 * @param byDefault what an empty answer means; Ctrl-D always means no
 */
export async function confirm(dialog: Dialog, question: string, byDefault = false): Promise<boolean> {
  const answer = await dialog.line(`${question} [${byDefault ? 'Y/n' : 'y/N'}] `);
  return answer === '' ? byDefault : isYes(answer ?? '');
}

export function isYes(answer: string): boolean {
  return /^y(es)?$/i.test(answer);
}
