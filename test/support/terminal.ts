import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { onTestFinished } from 'vitest';

/** A command on a real pseudo terminal. */
export interface Terminal {
  /** The output so far, with plain line ends and without control sequences. */
  said(): string;
  /** Resolves when the output matches; rejects if the command ends before that. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Types; `\x03` is Ctrl-C. */
  type(text: string): void;
  /** The command's status, once it has ended. */
  ended: Promise<number>;
}

/**
 * Runs a shell command on a new pseudo terminal, with script(1) of util-linux. The terminal is closed at the end of the test,
 * even if something still runs there.
 *
 * @param command for `/bin/sh -c`
 */
export function onTerminal(command: string, { env, cwd }: { env: NodeJS.ProcessEnv; cwd?: string }): Terminal {
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    env: { TERM: 'xterm', ...env, SHELL: '/bin/sh' },
    cwd: cwd ?? env.HOME,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  const watchers = new Set<() => void>();
  const look = () => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    look();
  });
  // Typing to a command that has ended is not an error.
  child.stdin.on('error', () => {});
  let over = false;
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      over = true;
      resolve(code ?? 128);
      look();
    });
  });
  const text = () => stripVTControlCharacters(said).replaceAll('\r\n', '\n');
  return {
    said: text,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const watcher = () => {
          const found = pattern.exec(text());
          if (found === null && !over) return;
          watchers.delete(watcher);
          if (found) resolve(found);
          else reject(new Error(`${command} ended without printing ${pattern}:\n${text()}`));
        };
        watchers.add(watcher);
        watcher();
      }),
    type: (keys) => child.stdin.write(keys),
    ended,
  };
}
