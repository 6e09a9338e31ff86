import type { Argument, Option } from 'commander';

/** What the shell or `vouch` itself can list when a value is completed (vouch/commands/completion-words.ts). */
export const listed = ['profiles', 'roles', 'keys', 'sessions', 'lends'] as const;
export type Listed = (typeof listed)[number];

/**
 * What completes a value: words that are always the same; a list that `vouch` prints; the remotes of the repository here, hosts, files,
 * folders or programs, which the shell knows; the commands of a group (for `help`); or nothing.
 */
export type Values =
  | { kind: 'words'; words: readonly string[] }
  | { kind: Listed | 'remotes' | 'hosts' | 'files' | 'folders' | 'programs' | 'commands' | 'nothing' };

/** By the long name of an option. */
const ofOptions: Readonly<Record<string, Values['kind']>> = {
  '--profile': 'profiles',
  '--source-profile': 'profiles',
  '--user': 'profiles',
  '--role': 'roles',
  '--csv': 'files',
  '--new-key-file': 'files',
  '--key-file': 'files',
  '--checkpoint': 'files',
};

/** By the name of an argument, which means the same in all commands. */
const ofArguments: Readonly<Record<string, Values['kind']>> = {
  key: 'keys',
  session: 'sessions',
  url: 'remotes',
  host: 'hosts',
  file: 'files',
  folder: 'folders',
  program: 'programs',
  command: 'commands',
};

/** Words that an argument takes without saying so in the command table, because the command has a better message than commander. */
const wordsOfArguments: Readonly<Record<string, readonly string[]>> = {
  setting: ['server', 'autoLogin', 'callbackPort'],
};

/** By the command, for names that mean something else in other commands. */
const ofCommands: Readonly<Record<string, Values['kind']>> = {
  'lend end': 'lends',
  'lend git-config': 'lends',
};

/** What completes the value of an option. */
export function valuesOfOption({ long, argChoices }: Option): Values {
  if (argChoices !== undefined) return { kind: 'words', words: argChoices };
  return plain(ofOptions[long ?? '']);
}

/** What completes an argument of the command with this path. */
export function valuesOfArgument(argument: Argument, path: string): Values {
  const words = argument.argChoices ?? wordsOfArguments[argument.name()];
  return words === undefined ? plain(ofCommands[path] ?? ofArguments[argument.name()]) : { kind: 'words', words };
}

function plain(kind: Values['kind'] | undefined): Values {
  return kind === undefined || kind === 'words' ? { kind: 'nothing' } : { kind };
}
