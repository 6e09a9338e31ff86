import { basename, isAbsolute } from 'node:path';
import { shellWord, splitCommandLine } from '../aws/config/command-line.ts';

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
 * @returns undefined when the value is another helper, or a command of which Vouch is only a part; also where it is more than
 *   plain and quoted words, as only a shell can tell what that does
 */
export function vouchHelper(value: string): VouchHelper | undefined {
  // As setup writes it, in every section: V8 takes milliseconds to get these expressions ready, and Git waits.
  if (value === 'vouch') return { profile: undefined, program: undefined };
  const line = value.replace(/^!/, '');
  if (!plainCommand.test(line)) return undefined;
  const [program, ...options] = splitCommandLine(line) ?? [];
  if (program === undefined) return undefined;
  const byPath = isAbsolute(program);
  // Git takes a value for a path when it begins as one: behind a quote it would be the name of a `git credential-…`. And behind
  // a blank a name is an argument of `git credential-`.
  if (!value.startsWith('!') && (/^[ \t]/.test(value) || (byPath && !isAbsolute(value)))) return undefined;
  const name = byPath || value.startsWith('!') ? 'git-credential-vouch' : 'vouch';
  // A relative path is another file in every folder.
  if ((byPath ? basename(program) : program) !== name) return undefined;
  const found: VouchHelper = { profile: undefined, program: byPath ? program : undefined };
  for (let i = 0; i < options.length; i += 2) {
    const [option, argument] = [options[i], options[i + 1]];
    if (argument === undefined || (option !== '--profile' && option !== '--node')) return undefined;
    if (option === '--profile') found.profile = argument;
  }
  return found;
}

/** Words without anything in them that a shell takes for more than itself, or in quotes; `\'` is how a word has a quote. */
const plainCommand = /^(?:[ \t]|[A-Za-z0-9_.,:/@%+=-]|[^\p{ASCII}\p{C}\p{Z}]|\\'|'[^']*'|"[^"$`\\!]*")*$/u;

/** The value by which Git starts the helper at a path, with these arguments: a path that a shell must be told of is a command. */
export function helperByPath(program: string, ...args: readonly string[]): string {
  const words = [program, ...args].map(shellWord).join(' ');
  return words.startsWith("'") ? `!${words}` : words;
}
