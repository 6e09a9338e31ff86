import type { CommandNode } from './command-tree.ts';
import type { Values } from './values.ts';

/** The command tree as data for a shell's `case` or `switch`. Everything static is in the script: to complete it, no Node is started. */

/** One branch of a `case`: a key, and what it stands for. */
export interface Branch {
  key: string;
  lines: string[];
}

/** A command's words with their descriptions, `name:description`. */
export function commandWords({ commands }: CommandNode): string[] {
  return commands.map(({ name, description }) => `${name}:${oneLine(description)}`);
}

/** A command's options with their descriptions. */
export function optionWords({ options }: CommandNode): string[] {
  return options.flatMap(({ names, description }) => names.map((name) => `${name}:${oneLine(description)}`));
}

/** The options of a command that take a value. */
export function valuedOptions({ options }: CommandNode): string[] {
  return options.filter(({ values }) => values !== undefined).flatMap(({ names }) => names);
}

/**
 * What completes which value. The key is the command's path, then the option's name or the argument's number, counted from 1; a
 * repeated argument has `*` for the rest.
 */
export function valueKeys(nodes: readonly CommandNode[]): { key: string; values: Values }[] {
  return nodes
    .flatMap((node) => [
      ...node.options.flatMap(({ names, values }) =>
        values === undefined ? [] : names.map((name) => ({ key: `${node.path} ${name}`, values })),
      ),
      ...node.arguments.flatMap(({ values, repeated }, index) => [
        { key: `${node.path} ${index + 1}`, values },
        // Of a program to run, the rest are its own arguments.
        ...(repeated ? [{ key: `${node.path} *`, values: restOf(values) }] : []),
      ]),
    ])
    .filter(({ values }) => values.kind !== 'nothing');
}

function restOf(values: Values): Values {
  return values.kind === 'programs' ? { kind: 'files' } : values;
}

/** Descriptions are for a list in which each has a line of its own. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** A word for sh, bash, zsh (in which only `'` is special within single quotes). */
export function shQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A word for fish, in which a backslash is special within single quotes, too. */
export function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
