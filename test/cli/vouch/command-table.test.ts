import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { commandTree } from '../../../cli/completion/command-tree.ts';
import { completionScript } from '../../../cli/completion/script.ts';
import { version } from '../../../cli/programs.ts';
import { shells } from '../../../cli/prompt/shells.ts';
import { buildProgram } from '../../../cli/vouch/command-table.ts';
import { readDocument } from '../../support/document.ts';
import { captured, machine, root, run } from '../support.ts';

const program = buildProgram(captured({}).io);
const doc = readDocument('cli.md');

/** All commands with the names that lead to them, without groups and the `help` of groups. */
function commands(command: Command, names: string[] = []): { path: string; command: Command }[] {
  return command.commands.flatMap((one) => {
    const path = [...names, one.name()];
    if (one.commands.length > 0) return commands(one, path);
    return one.name() === 'help' && names.length > 0 ? [] : [{ path: path.join(' '), command: one }];
  });
}

const all = commands(program);
const visible = all.filter(({ command }) =>
  program
    .createHelp()
    .visibleCommands(command.parent ?? program)
    .includes(command),
);

test('building the table has no side effects', () => {
  const { io, out } = captured({});
  buildProgram(io);
  expect(out).toEqual({ stdout: '', stderr: '' });
});

describe.each(all)('vouch $path', ({ path, command }) => {
  test('has a description, and so have its options', () => {
    expect(command.description()).not.toBe('');
    expect(command.options.filter(({ description }) => !description).map(({ flags }) => flags)).toEqual([]);
  });

  test('is in docs/cli.md, by name', () => {
    const [group = '', name] = path.split(' ');
    if (path === 'help') return;
    // In the table of commands a row names a group's commands one after the other.
    const row = doc.split('\n').find((line) => line.includes(`vouch ${group}`) && (!name || line.includes(name)));
    expect(row ?? `vouch ${path} is not there`).toContain(group);
  });
});

test('completion of every shell knows all commands and options', () => {
  const nodes = commandTree(program);
  expect(nodes.map(({ path }) => path)).toEqual(expect.arrayContaining(visible.map(({ path }) => path)));
  for (const shell of shells) {
    const script = completionScript(program, shell);
    for (const { path, options } of nodes) {
      expect(script).toContain(`'${path}'`);
      for (const name of options.flatMap(({ names }) => names)) expect(script).toContain(name);
    }
  }
});

/** Commands that print no facts: scripts and secrets in formats of their own, programs that they run, and help. */
const withoutFacts = ['init', 'completion', 'completion-words', 'exec', 'credential aws', 'help'];

test('every command that prints facts has --json', () => {
  const without = all.filter(({ command }) => !command.options.some(({ long }) => long === '--json'));
  const runsAnother = (command: Command) => command.registeredArguments.some((one) => one.variadic);
  expect(without.filter(({ path, command }) => !withoutFacts.includes(path) && !runsAnother(command))).toEqual([]);
});

test('vouch and vouch-server print their version in the same form', async () => {
  for (const option of ['--version', '-V']) {
    for (const file of ['cli/vouch/main.ts', 'server/main.ts']) {
      const { code, stdout } = await run(process.execPath, [join(root, file), option], machine().env);
      expect([code, stdout]).toEqual([0, `${version}\n`]);
    }
  }
});

test('the help of every command fits a terminal of 80 columns, and all but what people copy one of 40', () => {
  const groups = (command: Command): Command[] => [command, ...command.commands.flatMap(groups)];
  const helpOf = (command: Command, width: number) => {
    let printed = '';
    command.configureOutput({ getOutHelpWidth: () => width, writeOut: (text) => (printed += text) });
    command.outputHelp();
    return printed.split('\n');
  };
  for (const command of groups(buildProgram(captured({}).io))) {
    expect(helpOf(command, 80).filter((line) => line.length > 80)).toEqual([]);
    // Nobody finds that folder beside an installed program.
    expect(helpOf(command, 80).filter((line) => line.includes('docs/'))).toEqual([]);
    // Prose, options, and what these do. Commands and tables stay whole.
    const isOurs = /^(?!Usage:)(\w| {2}-| {6}\S+ )/;
    expect(helpOf(command, 40).filter((line) => line.length > 40 && isOurs.test(line))).toEqual([]);
  }
});

test.each([
  [['lend', 'exec'], '`vouch lend exec --help` explains it.'],
  [['lend', '--for', '5x'], '`vouch lend --help` lists its commands\nand options.'],
])('wrong usage fits a terminal of 40 columns and fills no screen: %j', (args, hint) => {
  let printed = '';
  const program = buildProgram(captured({}).io);
  const groups = (command: Command): Command[] => [command, ...command.commands.flatMap(groups)];
  for (const command of groups(program)) {
    command.configureOutput({ getErrHelpWidth: () => 40, writeErr: (text) => (printed += text) });
  }
  expect(() => program.parse(['node', 'vouch', ...args])).toThrow();
  expect(printed.trimEnd().endsWith(hint)).toBe(true);
  expect(printed.split('\n').filter((line) => line.length > 40)).toEqual([]);
  expect(printed.split('\n').length).toBeLessThan(8);
});

test('only what runs on this machine is offered the endpoint of --aws', () => {
  const lend = buildProgram(captured({}).io).commands.find((command) => command.name() === 'lend');
  const offered = lend?.commands.filter((command) => command.helpInformation().includes('--aws'));
  expect(offered?.map((command) => command.name())).toEqual(['exec']);
});
