import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readConfig } from '../../../server/config/config.ts';
import { parseKey, readKeyFile } from '../../../server/signing/master-key-file.ts';
import { cleanEnvironment } from '../../support/clean-environment.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { MASTER_KEY } from '../settings.ts';

const folder = temporaryFolder();

describe('a master key’s file', () => {
  let serial = 0;
  function keyFile(mode: number, content = MASTER_KEY): string {
    serial += 1;
    const file = join(folder, `key-${serial}`);
    writeFileSync(file, content, { mode: 0o600 });
    chmodSync(file, mode);
    return file;
  }
  const read = (file: string, more: Record<string, string> = {}) =>
    readConfig({ VOUCH_ISSUER: 'https://vouch.example.com', VOUCH_MASTER_KEY_FILE: file, ...more }).masterKey;

  test.each(['600', '400', '700'])('of mode 0%s is read', (mode) => {
    expect(read(keyFile(Number.parseInt(mode, 8)))).toEqual(Buffer.from(MASTER_KEY, 'base64'));
  });

  test.each(['640', '604', '644', '620', '602', '610', '444', '440'])(
    'of mode 0%s is refused, with what to do',
    (mode) => {
      const said = new RegExp(`^VOUCH_MASTER_KEY_FILE .*its mode is 0${mode}.*chmod 600.*VOUCH_MASTER_KEY$`);
      expect(() => read(keyFile(Number.parseInt(mode, 8)))).toThrow(said);
    },
  );

  test('of systemd’s credentials may be open to its group, which is how an access control list shows, and to nobody else', () => {
    const credentials = { CREDENTIALS_DIRECTORY: folder };
    expect(read(keyFile(0o440), credentials)).toEqual(Buffer.from(MASTER_KEY, 'base64'));
    expect(() => read(keyFile(0o444), credentials)).toThrow(/its mode is 0444/);
    mkdirSync(join(folder, 'elsewhere'));
    expect(() => read(keyFile(0o440), { CREDENTIALS_DIRECTORY: join(folder, 'elsewhere') })).toThrow(/0440/);
  });

  test('may be neither a pipe, nor a folder, nor too long', async () => {
    const pipe = join(folder, 'pipe');
    expect((await run('mkfifo', ['-m', '600', pipe], { env: cleanEnvironment({}) })).code).toBe(0);
    expect(() => read(pipe)).toThrow(/^VOUCH_MASTER_KEY_FILE/);
    expect(() => read(folder)).toThrow(/^VOUCH_MASTER_KEY_FILE/);
    expect(() => read(keyFile(0o600, `${MASTER_KEY}\n${'\n'.repeat(2000)}`))).toThrow(/^VOUCH_MASTER_KEY_FILE/);
  });

  test('with a weak key is refused, and the error does not repeat the key', () => {
    const file = keyFile(0o600, Buffer.alloc(32).toString('base64'));
    expect(() => read(file)).toThrow(/^The key in .*the same bytes/);
    const wrong = keyFile(0o600, MASTER_KEY.slice(0, 20));
    expect(() => read(wrong)).toThrow(/^The key in .*bytes/);
    expect(() => read(wrong)).not.toThrow(MASTER_KEY.slice(0, 20));
  });

  test('may have 1,024 bytes, as spaces around a key do no harm, but not one more', () => {
    expect(read(keyFile(0o600, ` ${MASTER_KEY}${'\n'.repeat(979)}`))).toEqual(Buffer.from(MASTER_KEY, 'base64'));
    expect(() => read(keyFile(0o600, ` ${MASTER_KEY}${'\n'.repeat(980)}`))).toThrow(/a file that holds the master key/);
  });

  test('that does not exist is refused with the system’s reason, and so is a link to nowhere', () => {
    expect(() => read(join(folder, 'nowhere'))).toThrow(/^VOUCH_MASTER_KEY_FILE .*\(ENOENT\)/);
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    expect(() => read(join(folder, 'link'))).toThrow(/\(ENOENT\)/);
  });

  test('in a subfolder of the credentials’ folder is not a credential', () => {
    mkdirSync(join(folder, 'credentials', 'more'), { recursive: true });
    const file = join(folder, 'credentials', 'more', 'key');
    writeFileSync(file, MASTER_KEY);
    chmodSync(file, 0o440);
    expect(() => readKeyFile('KEY', file, join(folder, 'credentials'))).toThrow(/its mode is 0440/);
    expect(readKeyFile('KEY', file, join(folder, 'credentials', '.', 'more', ''))).toHaveLength(32);
  });

  test('belongs to the server’s own user or to root: any other owner could read and change it', () => {
    const file = keyFile(0o600);
    const as = vi.spyOn(process as { geteuid: () => number }, 'geteuid');
    onTestFinished(() => as.mockRestore());
    const readAs = (user: number) => {
      as.mockReturnValue(user);
      return read(file);
    };
    // The server may use root's file, whatever its own user.
    if (process.getuid?.() === 0) {
      expect(readAs(54_320)).toHaveLength(32);
      chownSync(file, 54_321, 54_321);
    }
    const owner = statSync(file).uid;
    expect(readAs(owner)).toHaveLength(32);
    expect(readAs(0)).toHaveLength(32);
    expect(() => readAs(owner + 1)).toThrow(new RegExp(`its owner is user ${owner}\\)`));
  });
});

describe('a master key', () => {
  const bytes = (next: (index: number) => number) => Uint8Array.from({ length: 32 }, (_, index) => next(index));
  const parse = (key: Uint8Array) => parseKey('KEY', Buffer.from(key).toString('base64'));
  /** Its steps differ, so that only the number of different bytes counts. */
  const random = createHash('sha256').update('steps').digest();

  test('is accepted with base64’s padding, without it, and as base64url', () => {
    const key = Buffer.from('fb'.repeat(3) + createHash('sha256').update('key').digest('hex').slice(6), 'hex');
    expect(key.toString('base64')).toContain('+');
    for (const text of [key.toString('base64'), key.toString('base64').slice(0, -1), key.toString('base64url')]) {
      expect(parseKey('KEY', text)).toEqual(key);
    }
    for (const text of [
      `${MASTER_KEY}=`,
      `${MASTER_KEY.slice(0, -1)}A=`,
      MASTER_KEY.replace('=', '=A'),
      `A${MASTER_KEY}`,
      `!${MASTER_KEY}`,
      ` ${MASTER_KEY.slice(0, -2)}!`,
    ]) {
      expect(() => parseKey('KEY', text)).toThrow(/^KEY is "\(\d+ bytes\)".*openssl rand -base64 32/);
    }
  });

  test('has at least 12 different bytes, as nearly every random one has', () => {
    const keyOf = (different: number) => bytes((index) => (random[index] ?? 0) % different);
    const distinct = (key: Uint8Array) => new Set(key).size;
    expect([distinct(keyOf(11)), distinct(keyOf(12))]).toEqual([11, 12]);
    expect(() => parse(keyOf(11))).toThrow(/the same bytes again and again, or a series/);
    expect(parse(keyOf(12))).toHaveLength(32);
  });

  test('is not a series: it has at least 12 different steps', () => {
    /** Bytes that all differ: the steps are 1, 2, … `different`, then the first one again and again. */
    const keyOf = (different: number) => {
      let value = 0;
      return bytes((index) => {
        value += index === 0 ? 0 : Math.max(1, different - index + 1);
        return value;
      });
    };
    expect(new Set(keyOf(12)).size).toBe(32);
    expect(() => parse(keyOf(11))).toThrow(/or a series/);
    expect(parse(keyOf(12))).toHaveLength(32);
  });
});
