import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { commandTree } from '../../../cli/completion/command-tree.ts';
import { manualPages, vouchProgram } from '../../../deploy/manual/pages.ts';
import { escaped } from '../../../deploy/manual/roff.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { programs } from '../../../programs.ts';
import { makeProgram } from '../../../server/commands/program.ts';
import { root } from '../../cli/support.ts';

const pages = manualPages();

test('there is a page for each program on the PATH, in the package, and built', () => {
  const named = Object.keys(pages).map((file) => file.replace(/\.\d$/, ''));
  const onPath = Object.entries(programs).flatMap(([name, program]) => ('command' in program ? [name] : []));
  expect(named.toSorted()).toEqual(onPath.toSorted());
  expect(manifest.man.toSorted()).toEqual(
    Object.keys(pages)
      .map((file) => `dist/man/${file}`)
      .toSorted(),
  );
  for (const [file, text] of Object.entries(pages))
    expect(readFileSync(join(root, 'dist/man', file), 'utf8')).toBe(text);
});

test('the build has completion for both programs, where packages look for it', () => {
  const files = ['bash/NAME', 'zsh/_NAME', 'fish/NAME.fish'].flatMap((file) =>
    ['vouch', 'vouch-server'].map((name) => `dist/completions/${file.replace('NAME', name)}`),
  );
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

const both: [string, Command][] = [
  ['vouch.1', vouchProgram()],
  ['vouch-server.8', makeProgram()],
];
describe.each(both)('%s', (file, program) => {
  test('describes every command and option', () => {
    const text = pages[file] ?? '';
    for (const { path, options } of commandTree(program)) {
      if (path === '' || / help$/.test(path)) continue;
      const start = text.indexOf(`\n.SS ${escaped(`${program.name()} ${path}`)}\n`);
      expect(start, path).toBeGreaterThan(0);
      const part = text.slice(start, text.indexOf('\n.S', start + 4));
      for (const name of options.flatMap(({ names }) => names)) {
        if (name !== '--help' && name !== '-h') expect(part).toContain(escaped(name));
      }
    }
  });
});

/** The requests that the pages may use, all of man(7) or for lines that stay as they are. */
const known = /^\.(TH|SH|SS|PP|TP|nf|fi)( |$)/;

test.each(Object.entries(pages))('%s is plain roff: known requests, ASCII, closed blocks', (_, text) => {
  const lines = text.split('\n');
  expect(lines.filter((line) => line.startsWith('.') && !known.test(line))).toEqual([]);
  expect(lines.filter((line) => line.startsWith("'"))).toEqual([]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all but ASCII.
  expect(text).not.toMatch(/[^\x00-\x7f]/);
  expect(text).not.toMatch(/\\(?![-e&]|\(dq|\(aq|\(ga|\(ha|\(ti|f[BIR]|\[u[0-9A-F]{4,6}\])/);
  expect(lines.filter((line) => line === '.nf').length).toBe(lines.filter((line) => line === '.fi').length);
  expect(lines.filter((line) => line.startsWith('.SH')).slice(0, 2)).toEqual(['.SH NAME', '.SH SYNOPSIS']);
});

test('text cannot become a request or an escape', () => {
  expect(escaped(".so /etc/passwd\n'br\n\\fBx\\fR – “~^`”")).toBe(
    '\\&.so /etc/passwd\n\\(aqbr\n\\efBx\\efR \\[u2013] \\[u201C]\\(ti\\(ha\\(ga\\[u201D]',
  );
});

// groff is on no list of what tests may need. `VOUCH_TEST_GROFF=groff` has it judge the pages as well.
const groff = process.env.VOUCH_TEST_GROFF;
test.each(groff ? Object.keys(pages) : [])('groff has nothing to say about %s', (file) => {
  const said = execFileSync(`${groff} -man -ww -Tutf8 '${join(root, 'dist/man', file)}' 2>&1 >/dev/null`, {
    shell: '/bin/sh',
  });
  expect(said.toString()).toBe('');
});
