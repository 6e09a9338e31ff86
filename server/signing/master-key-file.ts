import { readPrivateFile } from '../files/private-file.ts';
import { settingRefused } from '../problem/setting-refused.ts';

/** In bytes; a key in base64 has 44. */
const MAX_SIZE = 1024;

const EXPECTED = '32 random bytes in base64, as `openssl rand -base64 32` prints them';

/**
 * Reads a master key from a file that only its owner can read.
 *
 * @param setting where the file is named, for the error
 * @param credentials systemd's folder of the service's credentials ($CREDENTIALS_DIRECTORY), if there is one
 * @returns 32 bytes
 * @throws Problem `setting-refused` when it cannot be read, when others can read it, or when it does not hold a key
 */
export function readKeyFile(setting: string, file: string, credentials?: string): Buffer {
  return parseKey(`The key in ${file}`, readKeyText(setting, file, credentials));
}

/**
 * Reads what is in a master key's file, if only its owner can read that.
 *
 * @throws Problem `setting-refused` when it cannot be read, or when others can read it
 */
export function readKeyText(setting: string, file: string, credentials?: string): string {
  return readPrivateFile(setting, file, {
    holds: 'the master key',
    maxSize: MAX_SIZE,
    otherwise: 'where a platform sets the mode (Kubernetes, Docker) hand the key over as VOUCH_MASTER_KEY',
    credentials,
  });
}

/**
 * Reads a master key from its written form, 32 bytes in base64.
 *
 * @param setting what holds the key, for the error, which never repeats the key itself
 * @throws Problem `setting-refused` when it is not a key, or not a random one
 */
export function parseKey(setting: string, text: string): Buffer {
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, 'base64');
  if (!/^[\w+/-]{43}=?$/.test(trimmed) || key.length !== 32) {
    throw settingRefused(setting, `(${key.length} bytes)`, EXPECTED);
  }
  return checkKey(setting, key);
}

/** Makes sure that a key has 32 bytes that may be random. @throws Problem `setting-refused` */
export function checkKey(setting: string, key: Buffer): Buffer {
  if (key.length !== 32) throw settingRefused(setting, `(${key.length} bytes)`, EXPECTED);
  if (!looksRandom(key)) throw settingRefused(setting, '(the same bytes again and again, or a series)', EXPECTED);
  return key;
}

/**
 * 32 random bytes have about 30 different values; fewer than 12 happens once in 10^17 keys. Zeros, patterns and 0, 1, 2, … are not
 * random.
 */
function looksRandom(key: Buffer): boolean {
  const steps = key.subarray(1).map((byte, index) => byte - (key[index] ?? 0));
  return new Set(key).size >= 12 && new Set(steps).size >= 12;
}
