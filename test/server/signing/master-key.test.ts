import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { masterKey } from '../../../server/signing/master-key.ts';
import type { Engine } from '../../../server/store/engine.ts';
import { SqliteEngine } from '../../../server/store/sqlite/engine.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** What was done to files, in order. A descriptor has the name that it was opened with. */
const operations: string[] = [];
const names = new Map<number, string>();
let diskFull = false;

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const record = (what: string, descriptor: number) => operations.push(`${what} ${names.get(descriptor)}`);
  return {
    ...fs,
    openSync: (path: string, ...more: [never]) => {
      const descriptor = fs.openSync(path, ...more);
      names.set(descriptor, basename(path).replace(/[\da-f-]{36}$/, 'draft'));
      record('open', descriptor);
      return descriptor;
    },
    writeSync: (descriptor: number, text: string) => {
      if (diskFull) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return fs.writeSync(descriptor, text);
    },
    fsyncSync: (descriptor: number) => {
      fs.fsyncSync(descriptor);
      record('sync', descriptor);
    },
    closeSync: (descriptor: number) => {
      fs.closeSync(descriptor);
      record('close', descriptor);
    },
    linkSync: (from: string, to: string) => {
      fs.linkSync(from, to);
      operations.push(`link ${basename(to)}`);
    },
  };
});

const folder = temporaryFolder();
let count = 0;

/** A database's file in its own folder. */
function newDatabase(): { engine: Engine; keyFile: string; files: () => string[] } {
  count += 1;
  const own = join(folder, String(count));
  mkdirSync(own);
  const sqliteFile = join(own, 'vouch.db');
  writeFileSync(sqliteFile, '');
  return { engine: new SqliteEngine(sqliteFile), keyFile: `${sqliteFile}.key`, files: () => readdirSync(own).sort() };
}

test('the configured master key is the key, and no file is made or read', async () => {
  const { engine, keyFile, files } = newDatabase();
  const configured = Buffer.alloc(32, 3);
  for (const needed of [false, true]) expect(await masterKey(configured, engine, needed)).toBe(configured);
  expect(files()).toEqual(['vouch.db']);
  writeFileSync(keyFile, 'no key');
  expect(await masterKey(configured, engine, true)).toBe(configured);
});

test('without one, a key of 32 random bytes is made in a file that only its owner can read, and read from then on', async () => {
  const { engine, keyFile, files } = newDatabase();
  const made = await masterKey(undefined, engine, false);
  expect(made).toHaveLength(32);
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  expect(readFileSync(keyFile, 'utf8')).toBe(`${made.toString('base64')}\n`);
  // No draft is left.
  expect(files()).toEqual(['vouch.db', 'vouch.db.key']);
  for (const needed of [false, true]) expect(await masterKey(undefined, engine, needed)).toEqual(made);
  const another = newDatabase();
  expect(await masterKey(undefined, another.engine, false)).not.toEqual(made);
});

test('a key that is needed and missing is not replaced', async () => {
  const { engine, keyFile, files } = newDatabase();
  await masterKey(undefined, engine, false);
  unlinkSync(keyFile);
  await expect(masterKey(undefined, engine, true)).rejects.toThrow(
    expect.objectContaining({ message: expect.stringMatching(/The key file .*vouch\.db\.key is gone/) }),
  );
  expect(files()).toEqual(['vouch.db']);
});

test('a file that another program has made meanwhile stays, and is read like any key file', async () => {
  const { engine, keyFile, files } = newDatabase();
  // A link to nowhere stands for a file that was made after the check: it does not exist, but is in the way.
  symlinkSync(join(folder, 'nowhere'), keyFile);
  expect(existsSync(keyFile)).toBe(false);
  await expect(masterKey(undefined, engine, false)).rejects.toThrow(/The key file .*\(ENOENT\)/);
  expect(files()).toEqual(['vouch.db', 'vouch.db.key']);
});

test('on a full disk the error says so, and nothing is left behind', async () => {
  const { engine, files } = newDatabase();
  diskFull = true;
  onTestFinished(() => {
    diskFull = false;
  });
  await expect(masterKey(undefined, engine, false)).rejects.toThrow('ENOSPC');
  expect(files()).toEqual(['vouch.db']);
});

test('its file is on the disk before it has its name, its name before the key is used, and no descriptor stays open', async () => {
  const { engine } = newDatabase();
  operations.length = 0;
  await masterKey(undefined, engine, false);
  expect(operations).toEqual([
    'open vouch.db.key.draft',
    'sync vouch.db.key.draft',
    'link vouch.db.key',
    'close vouch.db.key.draft',
    `open ${count}`,
    `sync ${count}`,
    `close ${count}`,
    'open vouch.db.key',
    'close vouch.db.key',
  ]);
});
