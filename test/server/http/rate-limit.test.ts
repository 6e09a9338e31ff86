import { afterAll, beforeAll, expect, test } from 'vitest';
import { administer } from '../../support/postgres.ts';
import { Browser } from '../browser.ts';
import { type Pair, startPair } from '../pair.ts';
import { expectProblem } from '../support.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({}, 'postgres');
});
afterAll(() => pair.close());

/** How many answers have each status. */
async function statusesOf(responses: Promise<Response>[]): Promise<Record<number, number>> {
  const count: Record<number, number> = {};
  for (const { status } of await Promise.all(responses)) count[status] = (count[status] ?? 0) + 1;
  return count;
}

test('two instances on PostgreSQL let 60 requests of a minute through together', async () => {
  const hasty = new Browser(pair.origin);
  const ask = () => hasty.post('/enroll/start', { invitation: 'garbage' });
  expect(await statusesOf(Array.from({ length: 100 }, ask))).toEqual({ 403: 60, 429: 40 });
  const refused = await ask();
  expect(refused.headers.get('ratelimit')).toMatch(/r=0/);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  await expectProblem(refused, 429, 'too-many-requests');
  expect((await new Browser(pair.origin).post('/enroll/start', { invitation: 'garbage' })).status).toBe(403);
});

test('instances whose database is away say so, and still refuse a flood', async () => {
  const name = new URL(pair.databaseUrl).pathname.slice(1);
  const elsewhere = new URL(pair.databaseUrl);
  elsewhere.pathname = 'template1';
  await administer(elsewhere.href, `alter database ${name} with allow_connections false`);
  await administer(elsewhere.href, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
  const hasty = new Browser(pair.origin);
  const ask = () => hasty.post('/enroll/start', { invitation: 'garbage' });
  expect(await statusesOf(Array.from({ length: 140 }, ask))).toEqual({ 429: 20, 503: 120 });
});
