#!/usr/bin/env node
import { CommanderError } from 'commander';
import { protectMemory } from '../protect-memory.ts';
import type { Io } from '../terminal/io.ts';
import { buildProgram } from './command-table.ts';
import { notWritten, run } from './run.ts';

/** Runs a command line by the command table (command-table.ts). main.ts loads this, and sends the most frequent ones elsewhere. */

protectMemory();

process.stdout.on('error', notWritten);
// If standard error fails, there is nowhere to print that.
process.stderr.on('error', () => {});

const io: Io = { stdout: process.stdout, stderr: process.stderr, env: process.env };

void run(async () => {
  let exitCode = 0;
  try {
    await buildProgram(io, (code) => {
      exitCode = code;
    }).parseAsync();
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has printed the error already. Wrong usage is 2; help and version are 0.
    return error.exitCode === 0 ? 0 : 2;
  }
});
