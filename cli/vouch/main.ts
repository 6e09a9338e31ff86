#!/usr/bin/env node
import { isatty } from 'node:tty';
import { protectMemory } from '../protect-memory.ts';
import { standardOutput } from '../terminal/standard-streams.ts';
import { type StatusOptions, status } from './commands/status.ts';
import { notWritten, run } from './run.ts';

/**
 * The program `vouch`. It runs the most frequent command lines without the command table (command-table.ts), which takes longer to load
 * than they take to run. Every other command line goes to the table.
 */

protectMemory();

/** The most frequent command lines (words joined by NUL, which no argument contains), with their options. */
const frequent = new Map<string, StatusOptions>([
  ['status', {}],
  ['status\0--json', { format: 'json' }],
  ['status\0--format\0shell', { format: 'shell' }],
  ['status\0--format\0fish', { format: 'fish' }],
]);

const options = frequent.get(process.argv.slice(2).join('\0'));
if (options === undefined) void import('./command-line.ts');
else void run(() => answerStatus(options));

async function answerStatus(options: StatusOptions): Promise<never> {
  const io = {
    stdout: {
      ...standardOutput(notWritten),
      isTTY: isatty(1),
      // Only a person waits for this.
      get columns() {
        return isatty(1) ? process.stdout.columns : 0;
      },
    },
    get stderr() {
      return process.stderr;
    },
    env: process.env,
  };
  // All is written, and Node's own clean-up would only take time.
  process.exit(await status(options, io));
}
