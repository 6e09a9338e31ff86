import { createInterface } from 'node:readline/promises';
import { addAbortSignal } from 'node:stream';
import { Problem } from '../problem.ts';

/** More than any code has: what is longer is not one. */
const MOST_BYTES = 1024;

/**
 * Reads one line: asked for on a terminal, else taken from standard input, so that a script can hand it over without it
 * standing in an argument list.
 *
 * @param question shown on the terminal
 * @throws Problem `no-input`
 */
export async function readLine(question: string, signal: AbortSignal): Promise<string> {
  const line = process.stdin.isTTY ? await ask(question, signal) : await firstLineOfInput(signal);
  if (line.trim() !== '') return line.trim();
  throw new Problem({
    kind: 'no-input',
    what: 'No invitation code was given.',
    fix: process.stdin.isTTY
      ? 'Run the command again with the code that your administrator sent you.'
      : 'Run the command on a terminal, or give it the code on standard input.',
    exitCode: 2,
  });
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

async function firstLineOfInput(signal: AbortSignal): Promise<string> {
  const input = addAbortSignal(signal, process.stdin.setEncoding('utf8'));
  let text = '';
  try {
    for await (const chunk of input) {
      text += chunk;
      if (text.includes('\n') || text.length > MOST_BYTES) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  return (text.split('\n', 1)[0] ?? '').slice(0, MOST_BYTES);
}
