import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cleanEnvironment } from '../../../support/clean-environment.ts';
import { run } from '../../../support/run.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { startProgram, vouchServer } from '../../program.ts';
import { localSettings } from '../../settings.ts';

const folder = temporaryFolder();

/** Gives a file or a folder to the user of a service, if we are root. @returns its owner */
function giveToService(path: string): number | undefined {
  const me = process.getuid?.();
  if (me !== 0) return me;
  // That user must be able to reach it.
  for (const above of [folder, dirname(folder)]) chmodSync(above, statSync(above).mode | 0o011);
  lchownSync(path, 54_321, 54_321);
  return 54_321;
}

describe('starting', () => {
  test('by root in a folder of the service’s user leaves files of that user', async () => {
    const home = join(folder, 'service');
    mkdirSync(home, { mode: 0o700 });
    const owner = giveToService(home);
    const settings = await localSettings(join(home, 'vouch.db'));
    const server = await startProgram(settings);
    expect((await vouchServer(['invite', 'alice@example.com'], settings)).code).toBe(0);
    expect(readdirSync(home).sort()).toEqual(['vouch.db', 'vouch.db-shm', 'vouch.db-wal', 'vouch.db.key']);
    for (const file of readdirSync(home)) expect([file, statSync(join(home, file)).uid]).toEqual([file, owner]);
    await server.end('SIGKILL');
    expect((await vouchServer(['invite', 'bob@example.com'], settings)).code).toBe(0);
    for (const file of readdirSync(home)) expect([file, statSync(join(home, file)).uid]).toEqual([file, owner]);
  });

  test('by root neither makes nor changes anything that a link in the service’s folder leads to', async () => {
    const home = mkdtempSync(join(folder, 'service-'));
    const elsewhere = mkdtempSync(join(folder, 'elsewhere-'));
    const owner = giveToService(home);
    const database = join(home, 'vouch.db');
    const settings = await localSettings(database);
    symlinkSync(join(elsewhere, 'new'), database);
    expect((await vouchServer(['serve'], settings)).code).toBe(1);
    expect(readdirSync(elsewhere)).toEqual([]);
    rmSync(database);
    symlinkSync(join(elsewhere, 'old'), database);
    writeFileSync(join(elsewhere, 'old'), 'not the service’s', { mode: 0o644 });
    expect((await vouchServer(['serve'], settings)).code).toBe(1);
    const { mode, uid } = statSync(join(elsewhere, 'old'));
    expect([uid, readFileSync(join(elsewhere, 'old'), 'utf8')]).toEqual([process.getuid?.(), 'not the service’s']);
    // Without root, the file is the server's own, and the server may change its mode.
    if (owner !== process.getuid?.()) expect(mode & 0o777).toBe(0o644);
  });

  describe('root’s commands go on as', () => {
    /** Makes a process switch to the owner of a database, without other groups. @returns its user */
    const become = async (file: string): Promise<number> => {
      const source = join(import.meta.dirname, '../../../../server/store/sqlite/owner.ts');
      const script = `import { becomeOwnerOf } from ${JSON.stringify(source)};
        becomeOwnerOf(${JSON.stringify(file)});
        process.stdout.write([process.getuid(), process.getgid(), process.getgroups()].join(' '));`;
      const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', script], {
        env: cleanEnvironment({}),
      });
      expect(stderr).toBe('');
      const [user, ...groups] = stdout.split(' ');
      if (user !== String(process.getuid?.())) expect(groups).toEqual([user, user]);
      return Number(user);
    };
    const me = process.getuid?.();

    test('the database’s owner', async () => {
      const file = join(mkdtempSync(join(folder, 'owned-')), 'vouch.db');
      writeFileSync(file, '');
      const owner = giveToService(file);
      expect(await become(file)).toBe(owner);
      // Root's link in root's folder.
      symlinkSync(file, `${file}.link`);
      expect(await become(`${file}.link`)).toBe(owner);
    });

    test('the folder’s owner, if root owns the file or the link, or there is no file yet', async () => {
      const home = mkdtempSync(join(folder, 'owned-'));
      const roots = join(folder, `roots-${randomUUID()}`);
      writeFileSync(roots, '');
      writeFileSync(join(home, 'file'), '');
      symlinkSync(roots, join(home, 'link'));
      const owner = giveToService(home);
      for (const name of ['none', 'file', 'link'])
        expect([name, await become(join(home, name))]).toEqual([name, owner]);
    });

    test('the owner of a link, not of what it leads to', async () => {
      const home = mkdtempSync(join(folder, 'owned-'));
      const [roots, link] = [join(home, 'roots'), join(home, 'vouch.db')];
      writeFileSync(roots, '');
      symlinkSync(roots, link);
      expect(await become(link)).toBe(me);
      const owner = giveToService(link);
      expect(await become(link)).toBe(owner);
    });

    test('root in a folder that root owns', async () => {
      const home = mkdtempSync(join(folder, 'own-'));
      expect(await become(join(home, 'vouch.db'))).toBe(me);
    });
  });
});
