import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { git } from '../../../../cli/git/git.ts';
import { setUpCodeCommit } from '../../../../cli/git/setup/set-up-codecommit.ts';
import { installHelper, machine } from '../../support.ts';

test('reports as data which settings it has written, and which it has left', async () => {
  const the = machine();
  installHelper(the);
  const file = join(the.folder, 'home/.gitconfig');
  writeFileSync(file, '[protocol "codecommit"]\n\tallow = never\n');
  const dry = await setUpCodeCommit({ dryRun: true }, the.env, the.folder);
  expect(dry).toMatchObject({ file, scope: 'global', changed: true, dryRun: true });
  const { written, notes } = await setUpCodeCommit({}, the.env, the.folder);
  expect([...written]).toEqual(expect.arrayContaining(['helper', 'useHttpPath']));
  expect(written.has('allow')).toBe(false);
  expect(notes).toEqual([
    {
      what: `${file} has protocol.codecommit.allow = never, which was not changed.`,
      why: 'Vouch would set it to always.',
    },
  ]);
  const again = await setUpCodeCommit({}, the.env, the.folder);
  expect([again.changed, again.written.size]).toEqual([false, 0]);
});

test('names a helper that is in the way once, even if it is in the way for many hosts', async () => {
  const the = machine();
  installHelper(the);
  await git(['init', '--quiet'], the.env, { cwd: the.folder });
  await git(['config', '--local', 'credential.helper', ''], the.env, { cwd: the.folder });
  const { notes } = await setUpCodeCommit({}, the.env, the.folder);
  expect(notes).toMatchObject([
    { kind: 'no-helper', origin: { scope: 'local', file: join(the.folder, '.git/config') } },
  ]);
});

test('says after a removal whether other files still have Git ask Vouch', async () => {
  const the = machine();
  installHelper(the);
  await git(['init', '--quiet'], the.env, { cwd: the.folder });
  await setUpCodeCommit({ scope: 'local' }, the.env, the.folder);
  await setUpCodeCommit({}, the.env, the.folder);
  const local = await setUpCodeCommit({ scope: 'local', remove: true }, the.env, the.folder);
  expect([local.stillAsked, local.notes.length]).toEqual([true, 1]);
  expect(await setUpCodeCommit({ remove: true }, the.env, the.folder)).toMatchObject({ stillAsked: false, notes: [] });
  expect(existsSync(join(the.folder, '.git/config.lock'))).toBe(false);
});
