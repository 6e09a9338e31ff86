import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { settingRefused } from '../problem/setting-refused.ts';

/** Bytes: a key in base64 has 44. */
const LONGEST = 1024;

/**
 * Reads a master key from a file that its owner alone can read.
 *
 * @param setting what named the file, for the error
 * @param credentials the folder that systemd keeps the service's credentials in ($CREDENTIALS_DIRECTORY), if there is one
 * @returns 32 bytes
 * @throws Problem `setting-refused` when it cannot be read, when others can, or when it holds no key
 */
export function readKeyFile(setting: string, file: string, credentials?: string): Buffer {
  // What is looked at is what is read, and a FIFO keeps nobody waiting.
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw settingRefused(setting, file, `a file that holds the master key and can be read (${code})`);
  }
  try {
    const { mode, uid } = checkFile(setting, file, descriptor);
    // systemd lets the service's user in by an access control list, which shows as the group's right, in a folder that is closed
    // to all others (systemd.exec(5), "Credentials").
    const closed = credentials !== undefined && dirname(resolve(file)) === resolve(credentials);
    if ((mode & (closed ? 0o007 : 0o077)) !== 0) {
      throw settingRefused(
        setting,
        file,
        `a file that its owner alone can read (its mode is 0${(mode & 0o777).toString(8)}): chmod 600 it, make a new key if others ` +
          'could read this one, and where a platform sets the mode (Kubernetes, Docker) hand the key over as VOUCH_MASTER_KEY',
      );
    }
    const me = process.geteuid?.();
    if (me !== 0 && uid !== me && uid !== 0) {
      throw settingRefused(setting, file, `a file of the server's own user or root's (its owner is user ${uid})`);
    }
    const content = Buffer.alloc(LONGEST);
    return parseKey(`The key in ${file}`, content.toString('utf8', 0, readSync(descriptor, content)));
  } finally {
    closeSync(descriptor);
  }
}

function checkFile(setting: string, file: string, descriptor: number) {
  const found = fstatSync(descriptor);
  if (!found.isFile() || found.size > LONGEST) throw settingRefused(setting, file, 'a file that holds the master key');
  return found;
}

/**
 * A master key as it is written: 32 bytes in base64.
 *
 * @param setting what holds it, for the error, which does not repeat it
 * @throws Problem `setting-refused` when it is none, or one that nobody drew at random
 */
export function parseKey(setting: string, text: string): Buffer {
  const expected = '32 random bytes in base64, as `openssl rand -base64 32` prints them';
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, 'base64');
  if (!/^[\w+/-]{43}=?$/.test(trimmed) || key.length !== 32) {
    throw settingRefused(setting, `(${key.length} bytes)`, expected);
  }
  if (!looksRandom(key)) throw settingRefused(setting, '(the same bytes again and again, or a series)', expected);
  return key;
}

/** Of 32 random bytes about 30 differ; fewer than 12 do in one key of 10^17. Zeros, a pattern and 0, 1, 2, … are no keys. */
function looksRandom(key: Buffer): boolean {
  const steps = key.subarray(1).map((byte, index) => byte - (key[index] ?? 0));
  return new Set(key).size >= 12 && new Set(steps).size >= 12;
}
