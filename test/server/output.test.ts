import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { openForServing } from '../../server/store/open-for-issuer.ts';
import { SqliteEngine } from '../../server/store/sqlite/engine.ts';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { program, vouchServer } from './program.ts';

const issuer = 'https://vouch.example.com';
const template = ['--format', 'cli', '--account', '123456789012', '--domain', 'example.com'];

test.each([
  [['invite', 'alice@example.com']],
  [['invite', 'alice@example.com', '--json']],
  [['people', 'list']],
  [['aws-template', ...template, '--repository', 'arn:aws:codecommit:us-east-1:123456789012:demo']],
  [['--help']],
])('%j says when its output could not be written', async (args) => {
  const folder = mkdtempSync(join(tmpdir(), 'vouch-output-'));
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => {
    closeSync(full);
    rmSync(folder, { recursive: true });
  });
  const database = join(folder, 'vouch.db');
  await makeDatabase(database);
  const child = spawn(process.execPath, [program, ...args], {
    env: cleanEnvironment({
      VOUCH_ISSUER: issuer,
      VOUCH_DATABASE_URL: `sqlite:${database}`,
      VOUCH_MASTER_KEY: randomBytes(32).toString('base64'),
    }),
    stdio: ['ignore', full, 'pipe'],
  });
  const said = child.stderr === null ? '' : text(child.stderr);
  const [code] = await once(child, 'close');
  expect(await said).toMatch(/^vouch-server: the output could not be written: .*\n$/);
  expect(code).toBe(1);
});

test('nothing is said when the reader wants no more, as in `… | head`', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vouch-output-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const database = join(folder, 'vouch.db');
  await makeDatabase(database);
  const env = cleanEnvironment({ VOUCH_ISSUER: issuer, VOUCH_DATABASE_URL: `sqlite:${database}` });
  const child = spawn(process.execPath, [program, 'people', 'list'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const said = text(child.stderr);
  const [code] = await once(child, 'close');
  expect([code, await said]).toEqual([141, '']);
});

/** Makes a database as the server does, because `invite` makes none. */
async function makeDatabase(sqliteFile: string): Promise<void> {
  const store = await openForServing(new SqliteEngine(sqliteFile), issuer, Date.now());
  await store.destroy();
}

test('help for an unknown command is wrong usage, and names the nearest command', async () => {
  expect(await vouchServer(['help', 'invit'], {})).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining("unknown command 'invit'\n(Did you mean invite?)"),
  });
  expect(await vouchServer(['help', 'invite'], {})).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Usage: vouch-server invite'),
  });
  expect(await vouchServer(['help', 'people', 'end-date'], {})).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Usage: vouch-server people end-date'),
  });
  expect(await vouchServer(['help', 'people', 'lst'], {})).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining("unknown command 'lst'\n(Did you mean list?)"),
  });
});
