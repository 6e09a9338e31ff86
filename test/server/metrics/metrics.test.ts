import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { loadedAtStart } from '../../support/imports.ts';
import { startProgram, vouchServer } from '../program.ts';
import { localSettings } from '../settings.ts';
import { SoftKey } from '../soft-key.ts';
import { enrolPerson, expectProblem, jsonOf, SignIn, signIn, startServer, type TestServer } from '../support.ts';
import { metricsSettings, type Sample, sampleOf } from './scrape.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';

let server: TestServer;
let metrics: Awaited<ReturnType<typeof metricsSettings>>;
beforeAll(async () => {
  metrics = await metricsSettings();
  server = await startServer(metrics.settings);
});
afterAll(() => server.close());

/** By how much a sample grows. */
async function growth(
  work: () => Promise<unknown>,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const before = sampleOf(await metrics.read(), name, labels) ?? 0;
  await work();
  // A request counts when its connection knows that the answer has left.
  await expect.poll(async () => sampleOf(await metrics.read(), 'vouch_http_requests_in_flight')).toBe(0);
  return (sampleOf(await metrics.read(), name, labels) ?? 0) - before;
}

test('say what happened: sign-ins, ceremonies, tokens for AWS, requests, problems', async () => {
  const { key } = await enrolPerson(server);
  const { client, access_token } = await signIn(server.origin, key);
  const token = (role: unknown) => client.api('POST', '/api/aws/token', access_token, { body: { role } });
  await jsonOf(await token(ROLE));
  await token('nonsense');
  const cancelled = await SignIn.open(server.origin);
  await cancelled.post('cancel');
  const refused = await SignIn.open(server.origin);
  await expectProblem(await refused.touch(new SoftKey(server.origin)), 403, 'unknown-key');
  await expect.poll(async () => sampleOf(await metrics.read(), 'vouch_http_requests_in_flight')).toBe(0);

  const samples = await metrics.read();
  const value = (name: string, labels?: Record<string, string>) => sampleOf(samples, name, labels);
  expect({
    signedIn: value('vouch_sign_ins_total', { place: 'terminal', result: 'ok' }),
    refused: value('vouch_sign_ins_total', { place: 'terminal', result: 'unknown-key' }),
    cancelled: value('vouch_sign_ins_total', { place: 'terminal', result: 'cancelled' }),
    enrolled: value('vouch_ceremonies_total', { ceremony: 'enrolment', result: 'ok' }),
    tokens: value('vouch_aws_tokens_total', { role: ROLE }),
    noTokens: value('vouch_aws_token_refusals_total', { reason: 'role-refused' }),
    problems: value('vouch_problems_total', { problem: 'unknown-key' }),
    none: value('vouch_problems_total', { problem: 'internal-error' }),
    touches: value('vouch_http_request_duration_seconds_count', { route: '/login/:uid/verify', code: '2xx' }),
    redeemed: value('vouch_http_request_duration_seconds_count', { route: '/token', code: '2xx' }),
  }).toEqual({
    signedIn: 1,
    refused: 1,
    cancelled: 1,
    enrolled: 1,
    tokens: 1,
    noTokens: 1,
    problems: 1,
    none: 0,
    touches: 1,
    redeemed: 1,
  });
});

test('say how the server is: version, parts, keys, streams, audit trail, database, process', async () => {
  const { key } = await enrolPerson(server);
  const { client, access_token } = await signIn(server.origin, key);
  const stream = await client.api('GET', '/api/session/events', access_token);
  await server.everyMinute();
  const { last_id } = await server.context.store.selectFrom('audit_head').select('last_id').executeTakeFirstOrThrow();
  const samples = await metrics.read();
  const value = (name: string, labels?: Record<string, string>) => sampleOf(samples, name, labels);
  await stream.body?.cancel();
  expect(value('vouch_build_info', { version: manifest.version, node: process.versions.node })).toBe(1);
  expect(value('vouch_ready')).toBe(1);
  for (const part of ['database', 'migrations', 'signing-key']) expect(value('vouch_part_ok', { part })).toBe(1);
  expect(value('vouch_signing_keys', { state: 'current' })).toBe(1);
  expect(value('vouch_signing_key_since_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000 - 600);
  expect(value('vouch_streams_open')).toBe(1);
  expect(value('vouch_audit_rows')).toBe(last_id);
  expect(value('vouch_sweeps_total', { result: 'ok' })).toBeGreaterThan(0);
  expect(value('vouch_sweep_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000 - 600);
  expect(value('vouch_database_statement_duration_seconds_count', { result: 'ok' })).toBeGreaterThan(10);
  expect(value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(0);
});

test('say that a statement failed', async () => {
  const failing = () => sql`select nothing from nowhere`.execute(server.context.store).catch(() => {});
  expect(await growth(failing, 'vouch_database_statement_duration_seconds_count', { result: 'failed' })).toBe(1);
});

describe('whatever a stranger or a member sends', () => {
  test('the number of series stays small', async () => {
    const paths = Array.from({ length: 30 }, (_, index) => [
      `/login/ticket-${index}`,
      `/nothing-${index}`,
      `/assets/x${index}.js`,
      `/login/uid-${index}/details`,
      `/key-icons/${index}`,
    ]).flat();
    const before = (await metrics.read()).length;
    await Promise.all(paths.map((path) => fetch(server.origin + path, { method: 'GET' })));
    await fetch(`${server.origin}/`, { method: 'BREW' }).catch(() => {});
    await expect.poll(async () => sampleOf(await metrics.read(), 'vouch_http_requests_in_flight')).toBe(0);
    // Some routes, each with a series for each bucket; and not one for each path.
    expect((await metrics.read()).length - before).toBeLessThan(8 * 15);
    const { key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);
    for (let index = 0; index < 120; index += 1) {
      const body = { role: `arn:aws:iam::123456789012:role/Role${index}` };
      await jsonOf(await client.api('POST', '/api/aws/token', access_token, { body }));
    }
    const tokens = (await metrics.read()).filter(({ name }) => name === 'vouch_aws_tokens_total');
    expect(tokens.length).toBe(101);
    const sum = (samples: Sample[]) => samples.reduce((total, { value }) => total + value, 0);
    expect(sum(tokens.filter(({ labels }) => labels.role === 'other'))).toBeGreaterThanOrEqual(20);
  });

  test('no label has anything about a person, a session, a ticket or an address', async () => {
    const { email, key } = await enrolPerson(server);
    const page = await SignIn.open(server.origin);
    await page.browser.get(`/login/${page.uid}`);
    await page.touch(key);
    await fetch(`${server.origin}/${email}?code=secret-code`);
    const { client, access_token } = await signIn(server.origin, key);
    await client.api('DELETE', `/api/sessions/some-session`, access_token);
    const text = await metrics.text();
    for (const told of [email, page.uid, page.browser.address, 'secret-code', 'some-session', 'laptop', '127.0.0.1']) {
      expect(text).not.toContain(told);
    }
  });
});

describe('are served', () => {
  test('at an address of their own, which has nothing else', async () => {
    const at = (path: string, method = 'GET') => fetch(`http://${metrics.address}${path}`, { method });
    const response = await at('/metrics');
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    for (const path of ['/', '/metrics/', '/healthz', '/login/x', '/jwks']) expect((await at(path)).status).toBe(404);
    expect((await at('/metrics', 'POST')).status).toBe(405);
    expect((await fetch(`${server.origin}/metrics`, { headers: { accept: 'application/json' } })).status).toBe(404);
  });

  test('while the database hangs, without what only it knows', async () => {
    const own = await metricsSettings();
    const stuck = await startServer(own.settings);
    onTestFinished(stuck.close);
    const { store } = stuck.context;
    const select = store.selectFrom;
    const head = { select: () => head, where: () => head, executeTakeFirst: () => new Promise(() => {}) };
    store.selectFrom = (() => head) as never;
    onTestFinished(() => {
      store.selectFrom = select;
    });
    const samples = await own.read();
    expect(sampleOf(samples, 'vouch_audit_rows')).toBeUndefined();
    expect(sampleOf(samples, 'vouch_ready')).toBe(1);
  });

  test('until the server has drained, which they say', async () => {
    const own = await metricsSettings();
    const ending = await startServer({ ...own.settings, VOUCH_DRAIN_SECONDS: '1' });
    const closed = ending.close();
    expect(sampleOf(await own.read(), 'vouch_ready')).toBe(0);
    await closed;
    await expect(own.text()).rejects.toThrow();
  });

  test('only if the setting says so, and nothing of them is loaded otherwise', async () => {
    const own = await metricsSettings();
    await startProgram(await localSettings());
    await expect(own.text()).rejects.toThrow();
    expect([...loadedAtStart('server/serve.ts')]).not.toContain('prom-client');
    const taken = { ...(await localSettings()), VOUCH_METRICS_LISTEN: metrics.address };
    const { code, stderr } = await vouchServer(['serve'], taken);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`already listening on ${metrics.address}`)]);
    const wrong = await vouchServer(['serve'], { ...(await localSettings()), VOUCH_METRICS_LISTEN: 'here' });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('VOUCH_METRICS_LISTEN is "here"')]);
  });
});
