import { randomBytes, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Config, ConfigError } from '../config.ts';

/**
 * The key that everything secret in the database is encrypted under: the configured one, or (for `http://localhost` issuers
 * alone) one in a file of mode 0600 beside the database, made when it is first needed.
 *
 * @returns 32 bytes
 * @throws ConfigError when the file is readable to others or does not hold a key
 */
export function masterKey(config: Config): Buffer {
  if (config.masterKey !== undefined) return config.masterKey;
  if (config.sqliteFile === ':memory:') return randomBytes(32);
  const file = `${config.sqliteFile}.key`;
  makeOnce(file);
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new ConfigError('The key file', file, 'readable to its owner alone (chmod 600)');
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32) throw new ConfigError('The key file', file, '32 bytes in base64');
  return key;
}

/** Written under another name and then linked: whoever starts at the same moment finds no file or a whole one. */
function makeOnce(file: string): void {
  if (existsSync(file)) return;
  const draft = `${file}.${randomUUID()}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${randomBytes(32).toString('base64')}\n`);
    // The signing key will be unreadable without this file: it must be on the disk before the database needs it.
    fsyncSync(descriptor);
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(descriptor);
    unlinkSync(draft);
  }
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
