import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A certificate and its key, in PEM. */
export interface Pair {
  cert: string;
  key: string;
}

/** Writes a pair into files as an administrator does, in a folder that is removed after the test. */
export function tlsFiles(pair: Pair) {
  const folder = mkdtempSync(join(tmpdir(), 'v-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return writeTlsFiles(folder, pair);
}

/** Writes a pair into files of a folder. */
export function writeTlsFiles(folder: string, { cert, key }: Pair) {
  const files = { folder, cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return { ...files, settings: { VOUCH_TLS_CERT: files.cert, VOUCH_TLS_KEY: files.key } };
}
