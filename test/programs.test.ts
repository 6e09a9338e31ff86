import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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

test('what the package’s pages link to is in the package', () => {
  // npm packs the first two by itself.
  const files = ['README.md', 'LICENSE', ...manifest.files];
  const packed = (path: string) => files.some((part) => path === part || path.startsWith(`${part}/`));
  const pages = globSync('**/*.md', { cwd: root, exclude: ['node_modules'] }).filter(packed);
  const missing = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map(([, link = '']) => join(dirname(page), link))
      .filter((link) => !packed(link) || !existsSync(join(root, link)))
      .map((link) => `${page} links to ${link}`),
  );
  expect(pages).toContain('docs/cli.md');
  expect(missing).toEqual([]);
});
