import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Shell } from '../../../cli/prompt/shells.ts';
import { onTerminal, type Terminal } from '../../support/terminal.ts';
import { type Machine, root, run } from '../support.ts';

/**
 * The shells to try: bash, which every machine has, and those that `VOUCH_TEST_SHELLS` names (`zsh,fish`).
 */
export const triedShells = ['bash', ...(process.env.VOUCH_TEST_SHELLS ?? '').split(',').filter(Boolean)] as Shell[];

/** A program that prints its arguments, one by one, in place of `vouch`. Only what completion asks is answered by the real one. */
const stub = `#!/bin/sh
case $1 in
  completion-words)
    echo "$2" >>"$HOME/asked"
    exec '${process.execPath}' '${join(root, 'cli/vouch/main.ts')}' "$@" ;;
esac
printf 'GOT'
printf ' <%s>' "$@"
printf ' END\\n'
`;

const starts: Record<Shell, (script: string) => string> = {
  bash: (script) => `exec bash --noprofile --rcfile '${script}.rc' -i`,
  zsh: (script) => `ZDOTDIR='${script}.d' exec zsh -i`,
  fish: (script) => `exec fish --no-config --init-command 'source ${script}.rc'`,
};

const settings: Record<Shell, (script: string) => string> = {
  bash: (script) => `PS1='READY> '; bind 'set bell-style none'; . '${script}'\n`,
  zsh: (script) => `PS1='READY> '; unsetopt beep; autoload -Uz compinit && compinit -D -u; . '${script}'\n`,
  fish: (script) => `function fish_prompt; printf 'READY> '; end; set -g fish_greeting; source '${script}'\n`,
};

export interface CompletingShell {
  /** Types a line, in which \t is the Tab key, and returns the arguments that the completed line has. */
  complete(line: string): Promise<string[]>;
  terminal: Terminal;
}

/** A shell on a terminal that has loaded our completion. */
export async function completingShell(shell: Shell, the: Machine): Promise<CompletingShell> {
  const program = join(the.folder, 'bin/vouch');
  writeFileSync(program, stub);
  chmodSync(program, 0o755);
  const script = join(the.folder, `completion.${shell}`);
  const made = await run(process.execPath, [join(root, 'cli/vouch/main.ts'), 'completion', shell], the.env);
  writeFileSync(script, made.stdout);
  writeFileSync(`${script}.rc`, settings[shell](script));
  mkdirSync(`${script}.d`);
  writeFileSync(`${script}.d/.zshrc`, settings[shell](script));
  const terminal = onTerminal(`stty cols 300 rows 50; ${starts[shell](script)}`, {
    env: { ...the.env, TERM: 'dumb', LC_ALL: 'C.UTF-8' },
  });
  await terminal.until(/READY> /);
  let seen = 0;
  return {
    terminal,
    complete: async (line) => {
      terminal.type(`${line}\n`);
      seen++;
      const all = new RegExp(`(?:[^]*?GOT(.*?) END){${seen}}`);
      const [, got = ''] = await terminal.until(all);
      return [...got.matchAll(/<(.*?)>/g)].map(([, word = '']) => word);
    },
  };
}
