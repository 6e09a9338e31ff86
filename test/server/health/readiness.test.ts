import { sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { Readiness } from '../../../server/health/readiness.ts';
import { oneKey } from '../one-key.ts';
import { jsonOf, startServer } from '../support.ts';

const silent = pino({ level: 'silent' });

/** A log that keeps its lines. */
function keptLog() {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }) };
}

test('answers anyone, at any host, with the version and the state of each part', async () => {
  const server = await startServer();
  onTestFinished(server.close);
  const response = await fetch(`${server.origin.replace('localhost', '127.0.0.1')}/readyz`);
  expect(await jsonOf(response)).toEqual({
    status: 'ok',
    version: manifest.version,
    parts: { database: 'ok', migrations: 'ok', 'signing-key': 'ok' },
  });
  expect(response.headers.get('cache-control')).toBe('no-store');
});

test('a database that lacks a migration, and a key that does not sign as published, are failing', async () => {
  const server = await startServer();
  onTestFinished(server.close);
  await sql`delete from kysely_migration where name = '0004_issuer'`.execute(server.context.store);
  const other = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const signingKey = server.context.keys.current();
  const publicJwk = { ...(await crypto.subtle.exportKey('jwk', other.publicKey)), alg: 'ES256' } as never;
  server.context.keys = oneKey({ kid: signingKey.kid, publicJwk, sign: (bytes) => signingKey.sign(bytes) });
  const response = await fetch(`${server.origin}/readyz`);
  expect([response.status, await response.json()]).toEqual([
    503,
    {
      status: 'failing',
      version: manifest.version,
      parts: { database: 'ok', migrations: 'failing', 'signing-key': 'failing' },
    },
  ]);
});

describe('a part', () => {
  test('that is optional leaves the server ready, and degraded', async () => {
    const readiness = new Readiness(silent);
    readiness.add({ name: 'database', check: async () => {} });
    readiness.add({ name: 'documents', check: () => Promise.reject(new Error('gone')), optional: true });
    expect(await readiness.report()).toEqual({ status: 'degraded', parts: { database: 'ok', documents: 'degraded' } });
    readiness.add({ name: 'key', check: () => Promise.reject(new Error('gone')) });
    expect(await readiness.report()).toMatchObject({
      status: 'failing',
      parts: { documents: 'degraded', key: 'failing' },
    });
    readiness.drain();
    expect(await readiness.report()).toMatchObject({ status: 'draining' });
  });

  test('that fails is named and logged once, with the reason only in the log, and so is its return', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { lines, log } = keptLog();
    const readiness = new Readiness(log);
    let broken = true;
    readiness.add({
      name: 'documents',
      check: async () => {
        if (broken) throw new Error('the bucket is empty');
      },
    });
    readiness.add({ name: 'other', check: async () => {} });
    const failing = { status: 'failing', parts: { documents: 'failing', other: 'ok' } };
    expect(await readiness.report()).toEqual(failing);
    vi.advanceTimersByTime(2_000);
    expect(await readiness.report()).toEqual(failing);
    broken = false;
    expect(await readiness.report()).toEqual(failing);
    vi.advanceTimersByTime(2_000);
    expect(await readiness.report()).toEqual({ status: 'ok', parts: { documents: 'ok', other: 'ok' } });
    expect(lines).toMatchObject([
      { level: 50, part: 'documents', err: { message: 'the bucket is empty' } },
      { level: 30, part: 'documents', msg: 'works again' },
    ]);
  });

  test('is checked once for all who ask within its time; after a failure soon again', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const readiness = new Readiness(silent);
    let checks = 0;
    let broken = false;
    readiness.add({
      name: 'dear',
      reuseMs: 30_000,
      check: async () => {
        checks += 1;
        if (broken) throw new Error('broken');
      },
    });
    await Promise.all(Array.from({ length: 50 }, () => readiness.report()));
    expect(checks).toBe(1);
    vi.advanceTimersByTime(29_999);
    await readiness.report();
    expect(checks).toBe(1);
    broken = true;
    vi.advanceTimersByTime(1);
    expect((await readiness.report()).status).toBe('failing');
    vi.advanceTimersByTime(2_000);
    await readiness.report();
    expect(checks).toBe(3);
  });

  test('that never answers is failing, and keeps nobody waiting for ever', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const readiness = new Readiness(silent);
    readiness.add({ name: 'stuck', check: () => new Promise(() => {}) });
    const report = readiness.report();
    await vi.advanceTimersByTimeAsync(8_000);
    expect(await report).toEqual({ status: 'failing', parts: { stuck: 'failing' } });
  });
});

test('a server that is about to end is draining, even if all of it works', async () => {
  const readiness = new Readiness(silent);
  readiness.add({ name: 'database', check: async () => {} });
  readiness.drain();
  expect(await readiness.report()).toEqual({ status: 'draining', parts: { database: 'ok' } });
});
