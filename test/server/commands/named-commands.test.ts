import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { makeProgram } from '../../../server/commands/program.ts';
import { readDocument } from '../../support/document.ts';

const root = resolve(import.meta.dirname, '../../..');
const program = makeProgram();
const commandsDoc = readDocument('cli.md');

/** A command of vouch-server that a text names, and its options there. */
interface Named {
  file: string;
  text: string;
  names: string[];
  options: string[];
}

const named: Named[] = ['README.md', 'docs/*.md', '{server,web,cli}/**/*.{ts,tsx}']
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .flatMap((file) => {
    const content = readFileSync(resolve(root, file), 'utf8').replaceAll(/ \\\n(> *)?/g, ' ');
    // Up to the end of the quotation.
    return [...content.matchAll(/\bvouch-server((?: [a-z][a-z-]*)+)([^`'\n]*)/g)].map(
      ([text, names = '', more = '']) => ({
        file,
        text,
        names: names.trim().split(' '),
        options: more.match(/(?<= |\[)--[a-z-]+/g) ?? [],
      }),
    );
  });

/** What is wrong with a command that a text names. */
function wrong({ names, options }: Named): string | undefined {
  let command: Command = program;
  for (const name of names) {
    const next = command.commands.find((each) => each.name() === name);
    if (next === undefined) {
      const takesMore = command.commands.length === 0 || command.registeredArguments.length > 0;
      // What follows is an argument, or the rest of a sentence.
      if (takesMore) break;
      return `${command.name()} has no command ${name}`;
    }
    command = next;
  }
  const unknown = options.find((option) => option !== '--help' && !command.options.some(({ long }) => long === option));
  return unknown && `${command.name()} has no option ${unknown}`;
}

test('every command of vouch-server that documents, pages and messages name exists, with its options', () => {
  expect(named.length).toBeGreaterThan(60);
  expect(new Set(named.map(({ file }) => file)).size).toBeGreaterThan(20);
  const faults = named.map((each) => ({ file: each.file, text: each.text, wrong: wrong(each) }));
  expect(faults.filter((fault) => fault.wrong !== undefined)).toEqual([]);
});

test('docs/cli.md names every command of vouch-server, in a row of its group', () => {
  const rows = commandsDoc.split('\n').filter((line) => line.startsWith('| `vouch-server '));
  const missing = program.commands.flatMap((group) => {
    const row = rows.filter((line) => line.startsWith(`| \`vouch-server ${group.name()}`)).join('\n');
    const leaves = group.commands.length === 0 ? [group] : group.commands;
    return leaves
      .filter((leaf) => !new RegExp(`[\` ]${leaf.name()}[\` ]`).test(row))
      .map((leaf) => `${group.name()} ${leaf.name()}`);
  });
  expect(missing).toEqual(['help help']);
});

test.each(['invite', 'aws-template', 'aws-revoke'])('docs/cli.md lists the flags of %s', (name) => {
  const [, table = ''] = new RegExp(`^Flags of \`${name}\`:\n\n((?:\\|.*\n)+)`, 'm').exec(commandsDoc) ?? [];
  const listed = [...table.matchAll(/^\| (`.*?`) +\|/gm)].flatMap(([, cell = '']) => cell.match(/--[a-z-]+/g) ?? []);
  const options = program.commands.find((command) => command.name() === name)?.options ?? [];
  expect(listed.sort()).toEqual(options.map(({ long }) => long).sort());
});

test('the help of every command of vouch-server fits a terminal of 80 columns, and the prose of it one of 40', () => {
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  const commands = all(program).filter(({ parent }) => parent !== null);
  const helpOf = (command: Command, width: number) => {
    let printed = '';
    command.configureOutput({ getOutHelpWidth: () => width, writeOut: (text) => (printed += text) });
    command.outputHelp();
    return printed.split('\n');
  };
  const tooLong = (width: number) =>
    commands.flatMap((command) =>
      helpOf(command, width).filter((line) => line.length > width && (width === 80 || /^\w/.test(line))),
    );
  expect(tooLong(80)).toEqual([]);
  expect(tooLong(40).filter((line) => !line.startsWith('Usage:'))).toEqual([]);
  expect(commands.length).toBeGreaterThan(30);
});

test('every command of vouch-server that prints facts has --json', () => {
  const leaves = (command: Command): Command[] => [command, ...command.commands.flatMap(leaves)];
  const without = leaves(program)
    .filter(({ commands, registeredArguments }) => commands.length === 0 || registeredArguments.length > 0)
    .filter((command) => !command.options.some(({ long }) => long === '--json'))
    .map((command) => command.name());
  // The server itself, rows in formats of their own, a document, and help.
  expect(without).toEqual(['serve', 'export', 'aws-template', 'help']);
});

test.each([
  [['help', 'peopel'], "unknown command 'peopel'\n(Did you mean people?)"],
  [['help', 'people', 'lits'], "unknown command 'lits'\n(Did you mean list?)"],
  [['people', 'lits'], "unknown command 'lits'\n(Did you mean list?)"],
  // It must not invite anybody.
  [['help', 'invite', 'alice@example.com'], "unknown command 'alice@example.com'"],
  [['help', 'serve', 'x'], "'serve' has no commands of its own"],
  [['serve', '--port', '1'], '`vouch-server serve --help` explains it.\n'],
  [['people', 'list', '--jsn'], '`vouch-server people list --help` explains it.\n'],
  [['people', '--jsn'], '`vouch-server people --help` lists its commands and options.\n'],
])('%j says what was wrong', async (args, said) => {
  let printed = '';
  const asked = makeProgram();
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  for (const command of all(asked)) command.configureOutput({ writeErr: (text) => (printed += text) });
  await expect(asked.parseAsync(args, { from: 'user' })).rejects.toMatchObject({ exitCode: 1 });
  expect(printed).toMatch(/^error: /);
  expect(printed).toContain(said);
  expect(printed).not.toContain('Usage:');
});
