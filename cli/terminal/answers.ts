import { createInterface } from 'node:readline/promises';
import { addAbortSignal } from 'node:stream';

/** More than any code has: what is longer is not one. */
const MOST_BYTES = 1024;

/** Somebody who answers: a person on the terminal, or a script on standard input. */
export interface Answers {
  /** Whether it is a person, who sees what is asked. */
  person: boolean;
  /** The next line, without the space around it: '' at Ctrl-D or at the input's end. The question is shown on a terminal. */
  line(question: string): Promise<string>;
  /** Takes no more: nothing keeps the program waiting for the input's end. */
  close(): void;
}

/**
 * Reads lines: asked for on a terminal, else taken from standard input, so that a script can hand them over without their
 * standing in an argument list.
 *
 * @param signal ends a wait; its reason is what is thrown
 */
export function openAnswers(signal: AbortSignal): Answers {
  if (process.stdin.isTTY) {
    return { person: true, line: async (question) => (await ask(question, signal)).trim(), close: () => {} };
  }
  let chunks: NodeJS.AsyncIterator<string> | undefined;
  let text = '';
  return {
    person: false,
    line: async () => {
      // Not before: until somebody reads it, nobody would hear that the stream was given up.
      chunks ??= addAbortSignal(signal, process.stdin.setEncoding('utf8'))[Symbol.asyncIterator]();
      while (!text.includes('\n') && text.length <= MOST_BYTES) {
        const { done, value } = await chunks.next().catch((error: unknown) => {
          signal.throwIfAborted();
          throw error;
        });
        if (done) break;
        text += value;
      }
      const [line = '', ...rest] = text.split('\n');
      text = rest.join('\n');
      return line.slice(0, MOST_BYTES).trim();
    },
    close: () => void chunks?.return?.(),
  };
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // readline takes Ctrl-C for itself; it should mean what it means elsewhere.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await terminal.question(question, { signal });
  } catch {
    signal.throwIfAborted();
    // Ctrl-D: nothing was given.
    return '';
  } finally {
    terminal.close();
  }
}
