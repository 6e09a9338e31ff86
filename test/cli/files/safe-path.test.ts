import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { replaceFile } from '../../../cli/files/replace-file.ts';
import { checkOwner, checkPath } from '../../../cli/files/safe-path.ts';
import { beRootWith, giveAway, stranger, superuser } from '../other-users.ts';
import { machine } from '../support.ts';

/** A folder with this mode, whatever the umask is. */
function folder(path: string, mode = 0o755): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
  return path;
}

const unsafe = (why: RegExp | string, fix: RegExp | string = '') =>
  expect.objectContaining({
    kind: 'unsafe-folder',
    why: expect.stringMatching(why),
    fix: expect.stringMatching(fix),
  });

describe('a path', () => {
  const check = (path: string, me?: number) => () => checkPath(path, 'It is not safe', me);

  test('is safe if every part is ours or root’s, or does not exist yet', () => {
    const { folder: home } = machine();
    folder(join(home, 'a/b'));
    writeFileSync(join(home, 'a/b/file'), '');
    for (const path of ['a/b/file', 'a/b', 'a//./b/../b/none', 'none/at/all', 'a/b/file/below']) {
      expect(check(`${home}/${path}`)).not.toThrow();
    }
  });

  test.each([0o777, 0o775, 0o757, 0o722])('is unsafe if others may write (%o), even far above', (mode) => {
    const { folder: home } = machine();
    folder(join(home, 'open/a/b'));
    folder(join(home, 'open'), mode);
    expect(check(join(home, 'open/a/b'))).toThrow(
      unsafe(`${home}/open, whose mode is 0${mode.toString(8)}`, `chmod go-w '${home}/open'`),
    );
    // Others could create something where nothing exists yet.
    expect(check(join(home, 'open/none/b'))).toThrow(unsafe('whose mode is'));
  });

  test('is safe if others may write, but remove only their own files', () => {
    const { folder: home } = machine();
    folder(join(home, 'open/a'));
    folder(join(home, 'open'), 0o1777);
    expect(check(join(home, 'open/a'))).not.toThrow();
  });

  test('is unsafe if it leads to a file that others may write', () => {
    const { folder: home } = machine();
    writeFileSync(join(home, 'file'), '');
    chmodSync(join(home, 'file'), 0o1666);
    expect(check(join(home, 'file'))).toThrow(unsafe('0?666'));
  });

  test('is checked through all its links, one after the other', () => {
    const { folder: home } = machine();
    folder(join(home, 'open/a'));
    folder(join(home, 'safe'));
    symlinkSync('../open/./a', join(home, 'safe/relative'));
    symlinkSync(join(home, 'safe/relative'), join(home, 'safe/absolute'));
    symlinkSync('loop', join(home, 'loop'));
    expect(check(join(home, 'safe/absolute/b'))).not.toThrow();
    folder(join(home, 'open'), 0o777);
    for (const link of ['relative', 'absolute']) {
      expect(check(join(home, 'safe', link, 'b'))).toThrow(unsafe(`${home}/open`));
      // `..` means the folder above the link's target, which others may write to, and not the one above the link.
      expect(check(`${home}/safe/${link}/../b`)).toThrow(unsafe(`${home}/open`));
    }
    expect(check(join(home, 'loop/a'))).toThrow(unsafe('symbolic link too many'));
  });

  test.each(['the folder', 'the link'])('is unsafe if %s is another user’s', (what) => {
    const { folder: home } = machine();
    folder(join(home, 'theirs'));
    symlinkSync('theirs', join(home, 'link'));
    const { owner, me } = giveAway(join(home, 'theirs'));
    expect(check(join(home, what === 'the link' ? 'link' : 'theirs'), me)).toThrow(
      unsafe(`belongs to user ${owner}, and you are user ${me}`),
    );
  });

  test('is safe in a namespace without root, where root’s files appear as the overflow user’s', () => {
    const { folder: home } = machine();
    const me = superuser ? 0 : stranger;
    const { owner } = giveAway(folder(join(home, 'theirs')));
    const proc = folder(join(home, 'proc/self')).replace(/.self$/, '');
    folder(join(proc, 'sys/kernel'));
    const tell = (map: string, overflow: number) => {
      writeFileSync(join(proc, 'self/uid_map'), map);
      writeFileSync(join(proc, 'sys/kernel/overflowuid'), `${overflow}\n`);
      return () => checkPath(join(home, 'theirs'), 'It is not safe', me, proc);
    };
    expect(tell('      1000       1000          1\n', owner)).not.toThrow();
    expect(tell('      1000       1000          1\n', owner + 1)).toThrow(unsafe('belongs to'));
    expect(tell('         0          0 4294967295\n', owner)).toThrow(unsafe('belongs to'));
  });
});

test('root makes and changes nothing that another user could not remove', () => {
  const { folder: home } = machine();
  const owner = beRootWith(folder(join(home, 'theirs')));
  for (const path of ['theirs', 'theirs/new', 'theirs/far/away']) {
    expect(() => checkOwner(join(home, path))).toThrow(unsafe(`theirs belongs to user ${owner}`, 'without sudo'));
  }
  expect(() => checkOwner('/never-there')).not.toThrow();
});

test('root follows no link of another user, not even to root’s own folder', () => {
  const { folder: home } = machine();
  symlinkSync('/', join(home, 'link'));
  symlinkSync('/never-there', join(home, 'file'));
  const owner = beRootWith(join(home, 'link'));
  beRootWith(join(home, 'file'));
  for (const path of ['link/never-there', 'file']) {
    const [name = ''] = path.split('/');
    expect(() => checkOwner(join(home, path))).toThrow(unsafe(`${name} is a link of user ${owner}`, 'without sudo'));
    expect(() => replaceFile(join(home, path), '')).toThrow(unsafe('is a link of user'));
  }
});
