import type { Command } from 'commander';
import { type Values, valuesOfArgument, valuesOfOption } from './values.ts';

/** A command, as completion sees it. */
export interface CommandNode {
  /** The names that lead to it: `''` for the program itself, `keys list` for a command of a group. */
  path: string;
  commands: { name: string; description: string }[];
  options: OptionNode[];
  /** The last one may be repeated. */
  arguments: { values: Values; repeated: boolean }[];
}

export interface OptionNode {
  /** `-f` and `--follow`, or one of them. */
  names: string[];
  description: string;
  /** What completes its value; undefined if it takes none. */
  values: Values | undefined;
}

/** All commands of a program, without the hidden ones. The program itself comes first. */
export function commandTree(program: Command): CommandNode[] {
  return nodes(program, []);
}

function nodes(command: Command, names: string[]): CommandNode[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const node: CommandNode = {
    path: names.join(' '),
    commands: commands.map((one) => ({ name: one.name(), description: one.description() })),
    options: help.visibleOptions(command).map((option) => ({
      names: [option.short, option.long].filter((name) => name !== undefined && name !== null),
      description: option.description,
      values: option.required || option.optional ? valuesOfOption(option) : undefined,
    })),
    arguments: command.registeredArguments.map((argument) => ({
      values: valuesOfArgument(argument, names.join(' ')),
      repeated: argument.variadic,
    })),
  };
  return [node, ...commands.flatMap((one) => nodes(one, [...names, one.name()]))];
}
