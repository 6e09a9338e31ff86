#!/usr/bin/env node
import { CommanderError } from 'commander';
import { makeProgram } from './commands/program.ts';
import { Problem } from './problem/problem.ts';
import { printError } from './process/print-error.ts';
import { protectMemory } from './process/protect-memory.ts';

protectMemory();

// What `invite` prints is stored nowhere: if it was not written, the command must fail.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader wants no more, as in `… | head`. 128 and SIGPIPE's number, as in shells.
  if (error.code === 'EPIPE') process.exit(141);
  process.exit(printError(new Error(`the output could not be written: ${error.message}`)));
});

try {
  if (Number.parseInt(process.versions.node, 10) < 24) {
    throw new Problem({
      kind: 'node-too-old',
      what: `Node 24 or newer is needed, and this is ${process.versions.node}`,
    });
  }
  await makeProgram().parseAsync();
} catch (error) {
  // commander has already printed what it throws; wrong usage is 2, help and version are 0.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = printError(error);
}
