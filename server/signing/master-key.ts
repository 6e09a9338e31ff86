import { randomBytes, randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Problem } from '../problem/problem.ts';
import type { Engine } from '../store/engine.ts';
import { readKeyFile } from './master-key-file.ts';
import { type ConfiguredMasterKey, WrappedMasterKey } from './wrapped-master-key.ts';

/**
 * The key that encrypts everything secret in the database: the configured one, or (only for `http://localhost` issuers) one from a file
 * of mode 0600 beside the database, which is made when it is first needed.
 *
 * @param engine the database
 * @param needed whether the database already holds something that only the old key can decrypt
 * @returns 32 bytes; if they are wrapped, KMS is asked for them
 * @throws Problem `master-key-lost` when the file is needed but gone
 * @throws Problem `setting-refused` when others can read it, or when it does not hold a key
 * @throws Problem `kms-refused` or `kms-unreachable`
 */
export async function masterKey(
  configured: ConfiguredMasterKey | undefined,
  engine: Engine,
  needed: boolean,
): Promise<Buffer> {
  if (configured !== undefined) return configured instanceof WrappedMasterKey ? configured.unwrap() : configured;
  const file = engine.masterKeyFile;
  // The settings are checked before.
  if (file === undefined) throw new Error('there is no place for a key file');
  if (!existsSync(file)) {
    if (needed) throw lost(file, engine.name);
    makeOnce(file);
  }
  return readKeyFile('The key file', file);
}

function lost(file: string, database: string): Problem {
  return new Problem({
    kind: 'master-key-lost',
    what: `The key file ${file} is gone.`,
    why: `The signing key in ${database} was encrypted with it, and cannot be opened without it.`,
    fix: 'Restore the file from the backup, or set VOUCH_MASTER_KEY to the key. Without either, `vouch-server master-key lost` gives the signing keys up.',
  });
}

/** Written under another name, then linked: a server that starts at the same moment finds a whole file or none. */
function makeOnce(file: string): void {
  const draft = `${file}.${randomUUID()}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${randomBytes(32).toString('base64')}\n`);
    // Without this file the signing key is unreadable: it must be on the disk before the database needs it.
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
