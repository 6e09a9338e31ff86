import { createInterface, emitKeypressEvents } from 'node:readline';
import { Writable } from 'node:stream';

/** A terminal marks what is pasted (xterm's "bracketed paste"), so that line breaks in it do not end the answer. */
const MARK_PASTES = '\x1b[?2004h';
const NO_MARKS = '\x1b[?2004l';

/**
 * Asks a person for a line that the terminal does not show: the clipboard may hold something else than the person thinks, and what a
 * terminal shows stays in its scrollback, in recordings and in shared screens.
 *
 * @param signal ends the wait, and its reason is thrown
 * @param output where the person reads the question
 * @returns the line; undefined at Ctrl-D, and when the terminal is gone
 */
export async function hiddenLine(
  question: string,
  signal: AbortSignal,
  output: NodeJS.WritableStream & { isTTY?: boolean } = process.stderr,
): Promise<string | undefined> {
  signal.throwIfAborted();
  const { stdin } = process;
  let pasting = false;
  const watch = (_text: string | undefined, key: { name?: string | undefined } | undefined) => {
    if (key?.name === 'paste-start') pasting = true;
    if (key?.name === 'paste-end') pasting = false;
  };
  // Before readline's own listener, which comes with the interface.
  emitKeypressEvents(stdin);
  stdin.on('keypress', watch);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
  const mark = (sequence: string) => (output.isTTY ? sequence : '');
  output.write(`${question}${mark(MARK_PASTES)}`);
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  let before = '';
  terminal.on('line', (line) => {
    if (pasting) before += `${line}\n`;
    else resolve(before + line);
  });
  terminal.on('close', () => resolve(undefined));
  // readline would take Ctrl-C for itself, but here it should end the program, as usual.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    stdin.off('keypress', watch);
    terminal.close();
    output.write(`${mark(NO_MARKS)}\n`);
  }
}
