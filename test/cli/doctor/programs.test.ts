import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { helper, isForThisShellOnly } from '../../../cli/doctor/checks/helper.ts';
import { remoteHelper } from '../../../cli/doctor/checks/remote-helper.ts';
import { vouch } from '../../../cli/doctor/checks/vouch.ts';
import { version } from '../../../cli/programs.ts';
import { installHelper, type Machine, machine, root } from '../support.ts';
import { ids, visitTo } from './visit.ts';

/** Another package with a program of that name, and npm's link to it in the folder that is first on the PATH. */
function install({ folder }: Machine, program: string, manifest: object): void {
  const file = join(folder, 'other/bin', program);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'other/package.json'), JSON.stringify(manifest));
  symlinkSync(file, join(folder, 'bin', program));
}

/** A link as npm makes it, to any file of our own package. */
const ours = (folder: string, program: string) =>
  symlinkSync(join(root, 'cli/git-credential-vouch/git-credential-vouch'), join(folder, program));

describe('programs on the PATH', () => {
  test('ours are recognised through the links that npm makes', async () => {
    const the = machine();
    for (const program of ['vouch', 'git-credential-vouch', 'git-remote-codecommit'])
      ours(join(the.folder, 'bin'), program);
    const visit = await visitTo(the);
    expect(ids(await vouch.run(visit))).toEqual([]);
    expect(ids(await remoteHelper.run(visit))).toEqual([]);
    expect(ids(await helper.run(visit))).toEqual(['helper.this-shell-only']);
  });

  test('another vouch that comes first is named, with its version', async () => {
    const the = machine();
    install(the, 'vouch', { name: 'vouch', version: '0.0.1' });
    const { findings = [] } = await vouch.run(await visitTo(the));
    expect(findings).toMatchObject([{ id: 'vouch.another-first', severity: 'warning' }]);
    expect(findings[0]?.what).toContain('(0.0.1)');
    expect(findings[0]?.why?.[0]).toContain(version);
  });

  test('a helper of another version of Vouch is a warning; a helper in no package fails', async () => {
    const other = machine();
    install(other, 'git-credential-vouch', { name: 'vouch', version: '0.0.1' });
    expect((await helper.run(await visitTo(other))).findings).toMatchObject([
      { id: 'helper.another-package', severity: 'warning', what: expect.stringContaining('vouch 0.0.1') },
      { id: 'helper.this-shell-only' },
    ]);
    const foreign = machine();
    installHelper(foreign);
    expect((await helper.run(await visitTo(foreign))).findings).toMatchObject([
      { id: 'helper.another-package', severity: 'trouble' },
      { id: 'helper.this-shell-only' },
    ]);
  });

  test('the helper of a package that brings its own Node works without this shell’s PATH', () => {
    const the = machine();
    install(the, 'git-credential-vouch', { name: 'vouch', version });
    const [file, plain] = [join(the.folder, 'bin/git-credential-vouch'), join(the.folder, 'bin')];
    expect(isForThisShellOnly(file, join(the.folder, 'none'))).toBe(true);
    expect(isForThisShellOnly(file, plain)).toBe(true);
    mkdirSync(join(the.folder, 'other/node'));
    writeFileSync(join(the.folder, 'other/node/node'), '');
    expect(isForThisShellOnly(file, plain)).toBe(false);
  });

  test('of two git-remote-codecommit the first one counts, and what to do depends on whether ours is there', async () => {
    const the = machine();
    install(the, 'git-remote-codecommit', { name: 'another', version: '1.0.0' });
    const alone = await remoteHelper.run(await visitTo(the));
    expect(alone.findings?.[0]?.why).toContain("Vouch's own is not on your PATH.");
    const later = join(the.folder, 'later');
    mkdirSync(later);
    ours(later, 'git-remote-codecommit');
    const visit = await visitTo({ env: { ...the.env, PATH: `${the.env.PATH}:${later}` } });
    const { findings = [] } = await remoteHelper.run(visit);
    expect(findings).toMatchObject([{ id: 'remote-helper.another-first', severity: 'warning' }]);
    expect(findings[0]?.why).toContain(`Vouch's own is ${later}/git-remote-codecommit.`);
    expect(findings[0]?.steps?.[0]).toContain(`Put ${later} before ${join(the.folder, 'bin')} on your PATH`);
  });
});
