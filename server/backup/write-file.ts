import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { flush } from '../files/flush.ts';
import { lacksHardLinks } from '../files/hard-links.ts';
import { Problem } from '../problem/problem.ts';
import { removeAtSignals } from './remove-at-signals.ts';
import type { Report } from './report.ts';

/** How a backup ended: with its report, or with what the process that made it said. */
export type Written = { report: Report } | { code: number; errors: string };

/**
 * Writes a backup into a file of mode 0600, which appears under its name when it is whole and on the disk.
 *
 * The copy is made by a process of its own (`vouch-server backup -`). Started by root, that becomes the database's owner for good, while
 * this one may still write where only root may.
 *
 * @param force whether a file of that name may be replaced
 * @throws Problem `option-refused` when it may not, or when no file can be made there; `backup-failed` when the file does not hold what
 * was written
 */
export async function writeFile(file: string, force: boolean): Promise<Written> {
  const path = resolve(file);
  const there = statSync(path, { throwIfNoEntry: false });
  // As root, a new file would take the place of a device, such as /dev/null, for everybody.
  if (there !== undefined && !(force && there.isFile())) throw exists(path);
  const partial = `${path}.partial-${randomUUID()}`;
  const descriptor = make(partial);
  const forget = removeAtSignals(partial);
  try {
    const { code, errors } = await copyInto(descriptor);
    const report = reportIn(errors);
    if (report === undefined && errors === '') throw failed(path, 'the process that copies was killed');
    if (report === undefined) return { code: code || 1, errors };
    fsyncSync(descriptor);
    if ((await digest(partial)) !== report.sha256) throw failed(path, 'it does not hold what was written into it');
    giveName(partial, path, force);
    return { report };
  } finally {
    closeSync(descriptor);
    rmSync(partial, { force: true });
    forget();
  }
}

function make(partial: string): number {
  try {
    return openSync(partial, 'wx', 0o600);
  } catch (error) {
    throw new Problem({
      kind: 'option-refused',
      what: `No file can be made in ${dirname(partial)}: ${(error as Error).message}`,
    });
  }
}

/** Runs this program once more, with the file as its standard output. */
async function copyInto(descriptor: number): Promise<{ code: number; errors: string }> {
  const [program = ''] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, program, 'backup', '-', '--json'], {
    stdio: ['ignore', descriptor, 'pipe'],
  });
  const ended = new Promise<number>((done, reject) => {
    child.once('error', reject);
    child.once('close', (code) => done(code ?? 1));
  });
  const [errors, code] = await Promise.all([child.stderr === null ? '' : text(child.stderr), ended]);
  return { code, errors };
}

/** The report is a line of its own: a warning may be before it. */
function reportIn(errors: string): Report | undefined {
  const line = errors.split('\n').find((each) => each.startsWith('{"backup":'));
  return line === undefined ? undefined : (JSON.parse(line) as { backup: Report }).backup;
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function giveName(partial: string, path: string, force: boolean): void {
  if (force) renameSync(partial, path);
  else linkOrRename(partial, path);
  flush(dirname(path));
}

/** A link takes nobody's place. Where there are no hard links, nothing but the check before protects a file. */
function linkOrRename(partial: string, path: string): void {
  try {
    linkSync(partial, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(path);
    if (!lacksHardLinks(error)) throw error;
    if (existsSync(path)) throw exists(path);
    renameSync(partial, path);
  }
}

function exists(path: string): Problem {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) {
    return new Problem({ kind: 'option-refused', what: `${path} is a folder.`, fix: 'Name a file in it.' });
  }
  if (there !== undefined && !there.isFile()) {
    return new Problem({
      kind: 'option-refused',
      what: `${path} is no regular file.`,
      fix: 'Name a file, or lead standard output there: vouch-server backup - > …',
    });
  }
  return new Problem({
    kind: 'option-refused',
    what: `There is a file ${path} already.`,
    fix: 'Choose another name, or add --force to replace it.',
  });
}

function failed(path: string, why: string): Problem {
  return new Problem({ kind: 'backup-failed', what: `${path} was not written: ${why}.`, fix: 'Check that disk.' });
}
