import { createInterface } from 'node:readline/promises';
import { addAbortSignal } from 'node:stream';
import type { Note } from '../problem/note.ts';
import { Problem } from '../problem/problem.ts';
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
  /** Takes no more lines: the program need not wait for the end of its input. */
  close(): void;
}

/**
 * Opens a dialog: with the person, if standard input is a terminal; else with a script, whose answers are then in no argument
 * list.
 *
 * @param signal ends the wait for an answer; its reason is what is thrown
 * @param output where a person reads the questions; standard error, so that standard output stays the command's
 */
export function openDialog(signal: AbortSignal, output: NodeJS.WritableStream = process.stderr): Dialog {
  return process.stdin.isTTY ? withPerson(signal, output) : withScript(signal);
}

function withPerson(signal: AbortSignal, output: NodeJS.WritableStream): Dialog {
  return {
    isPerson: true,
    line: async (question) => {
      const terminal = createInterface({ input: process.stdin, output });
      // readline takes Ctrl-C for itself; it should mean what it means elsewhere.
      terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      try {
        return (await terminal.question(question, { signal })).trim();
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
  /** What is asked for, such as `Region`. */
  text: string;
  /** What an empty answer means; without it, an empty answer is an answer like any other. */
  byDefault?: string | undefined;
  /** Says what is wrong with an answer. Then the question is asked again. */
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
    // Not its fix, which is for the command line.
    for (const part of [wrong.what, wrong.why ?? '']) if (part !== '') process.stderr.write(`  ${printable(part)}\n`);
  }
}

/** Asks whether to do something: only y and yes mean that. */
export async function confirm(dialog: Dialog, question: string): Promise<boolean> {
  return isYes((await dialog.line(`${question} [y/N] `)) ?? '');
}

export function isYes(answer: string): boolean {
  return /^y(es)?$/i.test(answer);
}
