import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setupCodeCommit } from '../../../cli/commands/setup-codecommit.ts';
import { captured, installHelper, type Machine, machine, read, run } from '../support.ts';

const section = 'credential.https://git-codecommit.*.amazonaws.com';

async function setUp(the: Machine) {
  const { out, io } = captured(the.env);
  return { code: await setupCodeCommit({}, io), ...out };
}

const config = ({ folder }: Machine) => join(folder, 'home/.gitconfig');

async function values(the: Machine, name: string) {
  const { stdout } = await run('git', ['config', '--global', '--null', '--get-all', `${section}.${name}`], the.env);
  return stdout.split('\0').slice(0, -1);
}

test('writes the block, and running it twice changes nothing', async () => {
  const the = machine();
  installHelper(the);
  const first = await setUp(the);
  expect(first).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(`${section}.helper = vouch\n`) });
  const text = read(config(the));
  expect(text.replaceAll(/ +$/gm, '')).toBe(
    '[credential "https://git-codecommit.*.amazonaws.com"]\n\thelper =\n\thelper = vouch\n\tuseHttpPath = true\n',
  );
  expect(await setUp(the)).toEqual({
    code: 0,
    stderr: '',
    stdout: 'Git asks Vouch for CodeCommit already, nothing to change\n',
  });
  expect(read(config(the))).toBe(text);
});

test.each([
  ["AWS's helper", '\thelper = !aws codecommit credential-helper $@\n\tUseHttpPath = true\n'],
  ['half of ours', '\thelper = vouch\n'],
  [
    'several',
    '\thelper = store\n\thelper =\n\thelper = cache\n\tuseHttpPath = false\n\tuseHttpPath = true\n\tuseHttpPath = false\n',
  ],
])('puts a section with %s right, and touches nothing else', async (_, before) => {
  const the = machine();
  const rest = '# mine\n[user]\n\tname = Alice ; me\n[credential]\n\thelper = store\n';
  writeFileSync(config(the), `${rest}[credential "https://git-codecommit.*.amazonaws.com"]\n${before}`);
  expect((await setUp(the)).code).toBe(0);
  expect(await values(the, 'helper')).toEqual(['', 'vouch']);
  expect(await values(the, 'useHttpPath')).toEqual(['true']);
  expect(read(config(the)).startsWith(rest)).toBe(true);
  const after = read(config(the));
  expect((await setUp(the)).stdout).toContain('nothing to change');
  expect(read(config(the))).toBe(after);
});

test('says when the helper is not on the PATH', async () => {
  const the = machine();
  expect(await setUp(the)).toMatchObject({ code: 0, stderr: expect.stringContaining('not on your PATH') });
});

test('refuses without Git, and with an old one, and changes nothing', async () => {
  const the = machine();
  const bin = join(the.folder, 'bin');
  the.env.PATH = bin;
  expect(await setUp(the)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^vouch: Git is not on your PATH\.\n.*2\.31/),
  });
  writeFileSync(join(bin, 'git'), '#!/bin/sh\necho git version 2.30.9\n');
  chmodSync(join(bin, 'git'), 0o755);
  expect(await setUp(the)).toMatchObject({ code: 1, stderr: expect.stringMatching(/too old.*2\.30\.9.*\n.*2\.31/) });
  expect(existsSync(config(the))).toBe(false);
});

test('says what Git says when the file cannot be written', async () => {
  const the = machine();
  writeFileSync(`${config(the)}.lock`, '');
  expect(await setUp(the)).toMatchObject({ code: 1, stderr: expect.stringContaining('could not lock config file') });
});
