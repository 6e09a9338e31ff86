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

/** Gives a folder to a user as a service has one, where that can be done. @returns whose it is now */
function becomeService(home: string): number | undefined {
  const me = process.getuid?.();
  if (me !== 0) return me;
  // The way to it, too.
  for (const way of [folder, dirname(folder)]) chmodSync(way, statSync(way).mode | 0o011);
  lchownSync(home, 54_321, 54_321);
  return 54_321;
}

describe('starting', () => {
  test('by root in the folder of the service’s own user leaves files of that user', async () => {
    const home = join(folder, 'service');
    mkdirSync(home, { mode: 0o700 });
    const owner = becomeService(home);
    const settings = await localSettings(join(home, 'vouch.db'));
    const server = await startProgram(settings);
    expect((await vouchServer(['invite', 'alice@example.com'], settings)).code).toBe(0);
    expect(readdirSync(home).sort()).toEqual(['vouch.db', 'vouch.db-shm', 'vouch.db-wal', 'vouch.db.key']);
    for (const file of readdirSync(home)) expect([file, statSync(join(home, file)).uid]).toEqual([file, owner]);
    await server.end('SIGKILL');
    expect((await vouchServer(['invite', 'bob@example.com'], settings)).code).toBe(0);
    for (const file of readdirSync(home)) expect([file, statSync(join(home, file)).uid]).toEqual([file, owner]);
  });

  test('by root makes nothing, and changes nothing, where a link in the service’s folder leads', async () => {
    const home = mkdtempSync(join(folder, 'service-'));
    const elsewhere = mkdtempSync(join(folder, 'elsewhere-'));
    const owner = becomeService(home);
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
    // Who is not root may do with their own file what they like.
    if (owner !== process.getuid?.()) expect(mode & 0o777).toBe(0o644);
  });

  describe('root’s commands go on as', () => {
    /** Which user a process of ours is after it has become a database's owner, and no more than that user. */
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
      const owner = becomeService(file);
      expect(await become(file)).toBe(owner);
      // Root's own link in root's own folder.
      symlinkSync(file, `${file}.link`);
      expect(await become(`${file}.link`)).toBe(owner);
    });

    test('the folder’s owner, whatever is or will be in it that is root’s', async () => {
      const home = mkdtempSync(join(folder, 'owned-'));
      const roots = join(folder, `roots-${randomUUID()}`);
      writeFileSync(roots, '');
      writeFileSync(join(home, 'file'), '');
      symlinkSync(roots, join(home, 'link'));
      const owner = becomeService(home);
      for (const name of ['none', 'file', 'link'])
        expect([name, await become(join(home, name))]).toEqual([name, owner]);
    });

    test('the owner of a link, not of what it leads to', async () => {
      const home = mkdtempSync(join(folder, 'owned-'));
      const [roots, link] = [join(home, 'roots'), join(home, 'vouch.db')];
      writeFileSync(roots, '');
      symlinkSync(roots, link);
      expect(await become(link)).toBe(me);
      const owner = becomeService(link);
      expect(await become(link)).toBe(owner);
    });

    test('themselves in a folder of their own', async () => {
      const home = mkdtempSync(join(folder, 'own-'));
      expect(await become(join(home, 'vouch.db'))).toBe(me);
    });
  });
});
