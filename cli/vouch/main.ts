#!/usr/bin/env node
import { protectMemory } from '../protect-memory.ts';
import { standardOutput } from '../terminal/standard-streams.ts';
import { type StatusOptions, status } from './commands/status.ts';
import { notWritten, run } from './run.ts';

/**
 * The program `vouch`. It answers what people and prompts ask most often without the command table (commands.ts), which takes
 * longer to load than the answer takes. Every other command line goes to the table.
 */

protectMemory();

/** These command lines, joined by NULs, which no argument can hold, and the options that they mean. */
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
  // All is written: Node's own cleaning up would only cost time.
  process.exit(await status(options, io));
}
