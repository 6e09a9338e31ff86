import type { Command } from 'commander';
import type { Shell } from '../prompt/shells.ts';
import { bashCompletion } from './bash.ts';
import { commandTree } from './command-tree.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** The completion script of a program for a shell, made from its command table. */
export function completionScript(program: Command, shell: Shell): string {
  return scripts[shell](program.name(), commandTree(program));
}
