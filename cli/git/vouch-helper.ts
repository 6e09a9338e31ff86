import { basename, isAbsolute } from 'node:path';
import { shellWord, splitCommandLine } from '../aws/config/command-line.ts';

/** Vouch's own helper, as named in `credential.<URL>.helper`. */
export interface VouchHelper {
  /** The AWS profile that the helper uses. */
  profile: string | undefined;
  /** The helper's absolute path; undefined when it is named as `vouch`. */
  program: string | undefined;
}

/**
 * Recognises Vouch's helper: `vouch` or an absolute path (gitcredentials(7)), with no options but its own.
 *
 * @returns undefined for another helper, for a command of which Vouch is only a part, and for anything but plain and quoted words,
 *   which only a shell could interpret
 */
export function vouchHelper(value: string): VouchHelper | undefined {
  // Setup writes this value. Git waits, and this saves the milliseconds in which V8 would compile the expressions below.
  if (value === 'vouch') return { profile: undefined, program: undefined };
  const line = value.replace(/^!/, '');
  if (!plainCommand.test(line)) return undefined;
  const [program, ...options] = splitCommandLine(line) ?? [];
  if (program === undefined) return undefined;
  const byPath = isAbsolute(program);
  // Git takes a value for a path only if it starts with `/`. With a quote before the path, Git would run `git credential-'/…`. With a
  // blank before a name, Git would run `git credential-` with the name as an argument.
  if (!value.startsWith('!') && (/^[ \t]/.test(value) || (byPath && !isAbsolute(value)))) return undefined;
  const name = byPath || value.startsWith('!') ? 'git-credential-vouch' : 'vouch';
  // A relative path would mean another file in each folder.
  if ((byPath ? basename(program) : program) !== name) return undefined;
  const found: VouchHelper = { profile: undefined, program: byPath ? program : undefined };
  for (let i = 0; i < options.length; i += 2) {
    const [option, argument] = [options[i], options[i + 1]];
    if (argument === undefined || (option !== '--profile' && option !== '--node')) return undefined;
    if (option === '--profile') found.profile = argument;
  }
  return found;
}

/** Words in quotes, or without any character that is special to a shell. A quote in a word is written `\'`. */
const plainCommand = /^(?:[ \t]|[A-Za-z0-9_.,:/@%+=-]|[^\p{ASCII}\p{C}\p{Z}]|\\'|'[^']*'|"[^"$`\\!]*")*$/u;

/** The value with which Git starts the helper at this path with these arguments. If the path needs quotes, the value is a command. */
export function helperByPath(program: string, ...args: readonly string[]): string {
  const words = [program, ...args].map(shellWord).join(' ');
  return words.startsWith("'") ? `!${words}` : words;
}
