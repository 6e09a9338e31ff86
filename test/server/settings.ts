import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.ts';

/** 32 bytes in base64 that look random, and are the same in every run. */
export const MASTER_KEY = createHash('sha256').update('a key').digest('base64');

/** The settings that an https issuer needs. */
export const HTTPS = { VOUCH_ISSUER: 'https://vouch.example.com', VOUCH_MASTER_KEY: MASTER_KEY };

/** The path of a database that does not exist yet, in a folder that is removed after the test. */
export function newDatabase(): string {
  const folder = mkdtempSync(join(tmpdir(), 'v-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'vouch.db');
}

/** The settings of a server on this machine, at a free port. */
export async function localSettings(database = newDatabase()) {
  return { VOUCH_ISSUER: `http://localhost:${await freePort()}`, VOUCH_DATABASE_URL: `sqlite:${database}` };
}
