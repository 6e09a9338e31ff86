import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { readableText, readRegularFile } from '../files/read-file.ts';
import { followLinks } from '../files/replace-file.ts';
import { absolute, home } from '../paths.ts';
import { Problem } from '../problem/problem.ts';
import { type Shell, shells } from './shells.ts';

/** The file that a person's shell reads at its start, and the line with which it shows the session in its prompt. */
export interface StartupFile {
  shell: Shell;
  /** Where the line belongs. */
  file: string;
  line: string;
  /** The file that has such a line already, which may be another one; undefined when there is none. */
  hasIt: string | undefined;
}

/**
 * The startup file of the person's login shell.
 *
 * @param env whose SHELL names the shell, and ZDOTDIR or XDG_CONFIG_HOME the folder of its files
 * @returns undefined when Vouch has no script for that shell
 * @throws Problem `no-home`
 */
export function startupFile(env: NodeJS.ProcessEnv, platform = process.platform): StartupFile | undefined {
  const name = basename(env.SHELL ?? '');
  const shell = shells.find((one) => one === name);
  if (shell === undefined) return undefined;
  const [file, ...others] = filesOf(shell, env, platform);
  const line = shell === 'fish' ? 'vouch init fish | source' : `eval "$(vouch init ${shell})"`;
  return { shell, file, line, hasIt: [file, ...others].find(callsInit) };
}

/** The files that may have the line. A new line belongs into the first. */
function filesOf(shell: Shell, env: NodeJS.ProcessEnv, platform: NodeJS.Platform): [string, ...string[]] {
  const at = (folder: string) => (name: string) => join(folder, name);
  if (shell === 'fish') {
    const folder = join(absolute(env.XDG_CONFIG_HOME) ?? join(home(env), '.config'), 'fish');
    return [join(folder, 'config.fish'), ...snippets(join(folder, 'conf.d'))];
  }
  if (shell === 'zsh') {
    const inFolder = at(absolute(env.ZDOTDIR) ?? home(env));
    return [inFolder('.zshrc'), inFolder('.zprofile')];
  }
  const inHome = at(home(env));
  // Terminals of macOS start login shells, which read the first of these that exists, and not .bashrc (bash(1), "INVOCATION").
  const login = ['.bash_profile', '.bash_login', '.profile'].map(inHome);
  const first = platform === 'darwin' ? (login.find((file) => existsSync(file)) ?? inHome('.bash_profile')) : undefined;
  return [first ?? inHome('.bashrc'), inHome('.bashrc'), inHome('.bash_aliases'), ...login];
}

function snippets(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Whether a line of the file, and no comment, runs `vouch init`. */
function callsInit(file: string): boolean {
  return hasCall(readableText(file));
}

function hasCall(text: string): boolean {
  return /^[^#\n]*\bvouch['"]?\s+init\b/m.test(text);
}

/**
 * Appends the line to the startup file, and makes the file if there is none. Nothing else in it changes: not its links, its mode, nor
 * a byte before the line. A file that has such a line by now stays as it is.
 *
 * @param me our user ID
 * @throws Problem `file-of-others` when it is not the person's own file, `not-written`
 */
export function appendLine(
  { file, line }: Pick<StartupFile, 'file' | 'line'>,
  env: NodeJS.ProcessEnv,
  me = process.getuid?.(),
): void {
  const byHand = `Append this line to the file that your shell reads: ${line}`;
  try {
    const target = followLinks(file);
    const whose = whoseFile(target, home(env), me);
    if (whose !== undefined) {
      throw new Problem({ kind: 'file-of-others', what: `${file} was not changed.`, why: whose, fix: byHand });
    }
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    append(target, line, me);
  } catch (error) {
    if (error instanceof Problem) throw error;
    const why = (error as Error).message;
    throw new Problem(
      { kind: 'not-written', what: `${file} could not be written.`, why, fix: byHand },
      { cause: error },
    );
  }
}

/** Why a file is not the person's own; undefined when it is. */
function whoseFile(target: string, homeFolder: string, me: number | undefined): string | undefined {
  const found = statSync(target, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) return `${target} is not a regular file.`;
  let folder = dirname(target);
  while (!existsSync(folder)) folder = dirname(folder);
  const { uid } = found ?? statSync(folder);
  if (me !== undefined && uid !== me) return `${target} belongs to user ${uid}, and you are user ${me}.`;
  // To root, the system's own files would be theirs too.
  const isInside = `${realpathSync(folder)}${sep}`.startsWith(`${realpathSync(homeFolder)}${sep}`);
  return isInside ? undefined : `${target} is not in your home folder, so it may be for others too.`;
}

/** Longer than any startup file, in bytes. */
const longestFile = 16 * 1024 * 1024;

/** Appends a line, or nothing if the disk is full. */
function append(target: string, line: string, me: number | undefined): void {
  const descriptor = openSync(
    target,
    constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
    0o644,
  );
  try {
    const found: Stats = fstatSync(descriptor);
    // Somebody may have put another file there meanwhile.
    if (!found.isFile() || (me !== undefined && found.uid !== me)) throw new Error('It was replaced meanwhile.');
    const before = readRegularFile(target, longestFile);
    if (hasCall(before.toString())) return;
    const isOpen = before.length > 0 && before.at(-1) !== 0x0a;
    try {
      const bytes = Buffer.from(`${isOpen ? '\n' : ''}${line}\n`);
      if (writeSync(descriptor, bytes) !== bytes.length) throw new Error('The disk is full.');
      fsyncSync(descriptor);
    } catch (error) {
      ftruncateSync(descriptor, found.size);
      throw error;
    }
  } finally {
    closeSync(descriptor);
  }
}
