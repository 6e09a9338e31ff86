import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { type Program, type ProgramName, programs } from '../programs.ts';
import { loadedAtStart } from './support/imports.ts';

const root = resolve(import.meta.dirname, '..');
const table = Object.entries(programs) as [ProgramName, Program][];

test('package.json puts the commands of the table on the PATH', () => {
  const commands = table.flatMap(([name, { command }]) => (command === undefined ? [] : [[name, command]]));
  expect(manifest.bin).toEqual(Object.fromEntries(commands));
});

describe.each(table)('%s', (_, { source, built, command = built, notAtStart }) => {
  test('is built, and its command is in the package', () => {
    for (const file of [source, built, command]) expect(existsSync(join(root, file))).toBe(true);
    expect(manifest.files.some((part) => command.startsWith(part))).toBe(true);
  });

  test('loads nothing at its start that it needs later, if ever', () => {
    const loaded = loadedAtStart(source);
    expect([...loaded].filter((name) => notAtStart.includes(name))).toEqual([]);
    // Only the bundle shows which modules of Node other packages load, and whether they call fetch.
    const bundle = readFileSync(join(root, built), 'utf8');
    const start = [...bundle.matchAll(/(?:\brequire\(|\bfrom )"(node:[\w/]+)"|(?<![#.\w])(fetch)\(/g)];
    const named = start.map(([, part, call = '']) => part ?? call);
    expect(named.filter((name) => notAtStart.includes(name))).toEqual([]);
  });
});
