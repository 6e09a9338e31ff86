#!/usr/bin/env node
import { keepClosed } from '../keep-closed.ts';
import { standardOutput } from '../terminal/standard-streams.ts';
import { type StatusOptions, status } from './commands/status.ts';
import { notWritten, run } from './run.ts';

/**
 * The program `vouch`. What people and prompts ask again and again is answered without the command table (commands.ts), whose
 * loading would take longer than the answer; whatever else is on the command line is for the table to understand.
 */

keepClosed();

/** What they ask, word for word, with the options that it means. No argument holds a NUL. */
const often = new Map<string, StatusOptions>([
  ['status', {}],
  ['status\0--json', { format: 'json' }],
  ['status\0--format\0shell', { format: 'shell' }],
  ['status\0--format\0fish', { format: 'fish' }],
]);

const options = often.get(process.argv.slice(2).join('\0'));
if (options === undefined) void import('./commands.ts');
else void run(() => answerStatus(options));

async function answerStatus(options: StatusOptions): Promise<never> {
  const io = {
    stdout: standardOutput(notWritten),
    get stderr() {
      return process.stderr;
    },
    env: process.env,
  };
  // All is written: Node need not take the trouble to clean up.
  process.exit(await status(options, io));
}
