import { basename, isAbsolute } from 'node:path';
import { splitCommandLine } from '../aws/command-line.ts';

/** Vouch's own helper, as a value of `credential.<URL>.helper` names it. */
export interface VouchHelper {
  /** The AWS profile it is for. */
  profile: string | undefined;
  /** The helper's absolute path, when it is written so. */
  program: string | undefined;
}

/**
 * Recognises Vouch's helper: `vouch`, or an absolute path (gitcredentials(7)), and nothing but options that it has.
 *
 * @returns undefined when the value is another helper, or a command of which Vouch is only a part
 */
export function vouchHelper(value: string): VouchHelper | undefined {
  // As setup writes it, in every section: V8 takes milliseconds to get these expressions ready, and Git waits.
  if (value === 'vouch') return { profile: undefined, program: undefined };
  const [program, ...options] = splitCommandLine(value.replace(/^!\s*/, '')) ?? [];
  // What a shell would do besides starting one program, outside of quotes.
  const bare = value.replace(/'[^']*'|"[^"$`\\]*"/g, '');
  if (program === undefined || /[;&|<>`$()\n]/.test(bare)) return undefined;
  const byPath = isAbsolute(program);
  // Git takes a value for a path when it begins as one: behind a quote it would be the name of a `git credential-…`.
  if (byPath && !isAbsolute(value) && !value.startsWith('!')) return undefined;
  const name = byPath || value.startsWith('!') ? 'git-credential-vouch' : 'vouch';
  if (basename(program) !== name) return undefined;
  const found: VouchHelper = { profile: undefined, program: byPath ? program : undefined };
  for (let i = 0; i < options.length; i += 2) {
    const [option, argument] = [options[i], options[i + 1]];
    if (argument === undefined || (option !== '--profile' && option !== '--node')) return undefined;
    if (option === '--profile') found.profile = argument;
  }
  return found;
}

/** The value by which Git starts the helper at a path, with these arguments: a path that a shell must be told of is a command. */
export function helperByPath(program: string, ...args: readonly string[]): string {
  const words = [program, ...args].map(shellWord).join(' ');
  return words.startsWith("'") ? `!${words}` : words;
}

/** A word as a shell reads it: Git starts helpers through one. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_.,:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
