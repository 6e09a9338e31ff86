import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repairGitConfig } from '../../../cli/doctor/repair-git-config.ts';
import { installHelper, machine, read } from '../support.ts';
import { visitTo } from './visit.ts';

test('shows what it would change, changes that, and fails with the setup’s own error', async () => {
  const the = machine();
  installHelper(the);
  const file = join(the.folder, 'home/.gitconfig');
  const { preview, apply } = repairGitConfig(await visitTo(the));
  expect((await preview()).slice(0, 3)).toEqual([
    `${file}:`,
    '+ [credential "https://git-codecommit.*.amazonaws.com"]',
    '+     helper =',
  ]);
  writeFileSync(`${file}.lock`, '');
  await expect(apply()).rejects.toMatchObject({ kind: 'config-locked', fix: expect.stringContaining(`${file}.lock`) });
  const elsewhere = machine();
  installHelper(elsewhere);
  await repairGitConfig(await visitTo(elsewhere)).apply();
  expect(read(join(elsewhere.folder, 'home/.gitconfig'))).toContain('helper = vouch');
});
