import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { cleanEnvironment } from '../support/clean-environment.ts';
import { freePort } from '../support/free-port.ts';
import { program, startProgram, vouchServer } from './program.ts';
import { HTTPS, localSettings, MASTER_KEY, newDatabase } from './settings.ts';

const OTHER_KEY = createHash('sha256').update('another key').digest('base64');

describe('starting', () => {
  test('on localhost makes a key file and a database that only their owner can read', async () => {
    const database = newDatabase();
    const server = await startProgram(await localSettings(database));
    for (const file of [database, `${database}.key`, `${database}-wal`, `${database}-shm`]) {
      expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(Buffer.from(readFileSync(`${database}.key`, 'utf8'), 'base64')).toHaveLength(32);
    await server.end('SIGTERM');
  });

  test('with https makes no key file', async () => {
    const database = newDatabase();
    const listen = String(await freePort());
    await startProgram({ ...HTTPS, VOUCH_DATABASE_URL: `sqlite:${database}`, VOUCH_LISTEN: listen });
    expect(existsSync(`${database}.key`)).toBe(false);
  });

  test('again keeps the signing key; with another master key the server does not start, and says why', async () => {
    const settings = await localSettings();
    const kid = async () => {
      const { keys } = (await (await fetch(`${settings.VOUCH_ISSUER}/jwks`)).json()) as { keys: { kid: string }[] };
      return keys.map((key) => key.kid);
    };
    const first = await startProgram({ ...settings, VOUCH_MASTER_KEY: MASTER_KEY });
    const before = await kid();
    await first.end('SIGTERM');
    const { code, stderr } = await vouchServer(['serve'], {
      ...settings,
      VOUCH_MASTER_KEY: OTHER_KEY,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/VOUCH_MASTER_KEY is not the one it was made with/);
    await startProgram({ ...settings, VOUCH_MASTER_KEY: MASTER_KEY });
    expect(await kid()).toEqual(before);
  });

  test('refuses a key file that others may read, and one that holds no key', async () => {
    const open = newDatabase();
    writeFileSync(`${open}.key`, MASTER_KEY, { mode: 0o644 });
    const readable = await vouchServer(['serve'], await localSettings(open));
    expect([readable.code, readable.stderr]).toEqual([2, expect.stringContaining('chmod 600')]);
    const empty = newDatabase();
    writeFileSync(`${empty}.key`, '', { mode: 0o600 });
    const useless = await vouchServer(['serve'], await localSettings(empty));
    expect([useless.code, useless.stderr]).toEqual([2, expect.stringContaining('32 random bytes in base64')]);
  });

  test('does not replace a key file that is gone, and says what to do', async () => {
    const database = newDatabase();
    const settings = await localSettings(database);
    await (await startProgram(settings)).end('SIGTERM');
    const key = readFileSync(`${database}.key`, 'utf8');
    unlinkSync(`${database}.key`);
    const { code, stderr } = await vouchServer(['serve'], settings);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^vouch-server: The key file .*\.key is gone\.\n.*backup/s),
    ]);
    expect(existsSync(`${database}.key`)).toBe(false);
    await (await startProgram({ ...settings, VOUCH_MASTER_KEY: key })).end('SIGTERM');
    writeFileSync(`${database}.key`, key, { mode: 0o600 });
    await startProgram(settings);
  });

  test('ends at SIGTERM even while it waits for another host', async () => {
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const settings = { ...(await localSettings()), VOUCH_FIDO_METADATA: `https://127.0.0.1:${port}/` };
    const child = spawn(process.execPath, [program, 'serve'], { env: cleanEnvironment(settings), stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    await once(silent, 'connection');
    child.kill('SIGTERM');
    // Not with the failure of the start, which comes after a minute.
    expect(await ended).toEqual([0, null]);
  });

  test('refuses an issuer other than the database’s', async () => {
    const database = newDatabase();
    const first = await localSettings(database);
    await (await startProgram(first)).end('SIGTERM');
    const { code, stderr } = await vouchServer(['serve'], await localSettings(database));
    expect(code).toBe(2);
    expect(stderr).toContain(`${database} belongs to ${first.VOUCH_ISSUER}`);
    expect(stderr).toContain(`Set VOUCH_ISSUER=${first.VOUCH_ISSUER}`);
    await startProgram(first);
  });

  test('says which version it is, first of all', async () => {
    const server = await startProgram(await localSettings());
    const [first = ''] = server.output.split('\n');
    expect(JSON.parse(first)).toMatchObject({ msg: 'starting', version: manifest.version });
    expect((await vouchServer(['--version'], {})).stdout).toBe(`${manifest.version}\n`);
  });

  test('logs nothing more if DEBUG is set: a URL may hold a ticket', async () => {
    const settings = await localSettings();
    const server = await startProgram({ ...settings, DEBUG: '*' });
    const body = '{"word":"bodyword"}';
    const headers = { 'content-type': 'application/json' };
    await fetch(`${settings.VOUCH_ISSUER}/enroll/ticketword/open`, { method: 'POST', headers, body });
    await fetch(`${settings.VOUCH_ISSUER}/auth?client_id=vouch-cli&request_uri=uriword`, { redirect: 'manual' });
    await server.end('SIGTERM');
    expect(server.output).toMatch(/"path":"\/enroll"/);
    expect(server.output).not.toMatch(/ticketword|bodyword|uriword/);
  });

  test('refuses a file that is not a database, and a folder that does not exist', async () => {
    const file = newDatabase();
    writeFileSync(file, 'not a database, but long enough to be taken for one'.repeat(100), { mode: 0o600 });
    const broken = await vouchServer(['serve'], await localSettings(file));
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringMatching(/^vouch-server: .*not a database/)]);
    const nowhere = await vouchServer(
      ['serve'],
      await localSettings(join(dirname(newDatabase()), 'nowhere', 'vouch.db')),
    );
    expect([nowhere.code, nowhere.stderr]).toEqual([
      2,
      expect.stringMatching(/VOUCH_DATABASE_URL .*nowhere.*a folder that exists/),
    ]);
  });

  test('of 8 servers at once on an empty database: all start, and agree on one signing key', async () => {
    const database = newDatabase();
    const settings = await localSettings(database);
    const ports = await Promise.all(Array.from({ length: 8 }, freePort));
    await Promise.all(ports.map((port) => startProgram({ ...settings, VOUCH_LISTEN: `127.0.0.1:${port}` })));
    const kids = await Promise.all(ports.map((port) => kidsAt(port, settings.VOUCH_ISSUER)));
    expect(new Set(kids).size).toBe(1);
  });
});

/** The IDs of the keys that a server shows, asked at a port other than its issuer's. */
function kidsAt(port: number, issuer = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: new URL(issuer).host };
    const asked = request({ host: '127.0.0.1', port, path: '/jwks', headers }, async (response) => {
      const { keys } = (await json(response)) as { keys: { kid: string }[] };
      resolve(keys.map((key) => key.kid).join());
    });
    asked.once('error', reject);
    asked.end();
  });
}
