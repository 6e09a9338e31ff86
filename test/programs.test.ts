import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { type Program, type ProgramName, programs } from '../programs.ts';

const root = resolve(import.meta.dirname, '..');
const table = Object.entries(programs) as [ProgramName, Program][];

test('package.json puts the commands of the table on the PATH', () => {
  const commands = table.flatMap(([name, { command }]) => (command === undefined ? [] : [[name, command]]));
  expect(manifest.bin).toEqual(Object.fromEntries(commands));
});

describe.each(table)('%s', (_, { source, built, command = built }) => {
  test('is built, and its command is in the package', () => {
    for (const file of [source, built, command]) expect(existsSync(join(root, file))).toBe(true);
    expect(manifest.files.some((part) => command.startsWith(part))).toBe(true);
  });
});
