import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { readConfig } from '../../../server/config/config.ts';
import { startLocalKms } from '../../aws/kms/start.ts';
import { loadedAtStart } from '../../support/imports.ts';
import { useLocalKms } from '../kms/use-local-kms.ts';
import { startProgram } from '../program.ts';
import { HTTPS, localSettings } from '../settings.ts';
import { enrolPerson, jsonOf, SignIn, signIn, startServer } from '../support.ts';
import { startCollector } from './collector.ts';

afterEach(() => void vi.unstubAllEnvs());

/** A server that sends its traces to a collector of this test. The library reads the process's environment. */
async function traced(settings: Record<string, string> = {}) {
  const collector = await startCollector();
  onTestFinished(collector.close);
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector-key',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  return { collector, server: await startServer({ ...variables, ...settings }) };
}

test('a request is a span, and each of its statements one below it, with nothing secret in any', async () => {
  const { collector, server } = await traced();
  const { email, key } = await enrolPerson(server);
  const page = await SignIn.open(server.origin);
  await page.browser.get(`/login/${page.uid}`);
  const response = await page.touch(key);
  const code = new URL((await jsonOf<{ redirectTo: string }>(response)).redirectTo).searchParams.get('code') ?? '';
  const { access_token } = await jsonOf<{ access_token: string }>(await page.client.redeem(code));
  const forged = { traceparent: '00-11111111111111111111111111111111-2222222222222222-01' };
  await fetch(`${server.origin}/nothing/secret-path?code=secret-query`, { headers: forged });
  await server.close();

  const touch = collector.spans.find(
    ({ attributes }) => attributes['vouch.request_id'] === response.headers.get('x-request-id'),
  );
  expect(touch).toMatchObject({
    name: 'POST /login/:uid/verify',
    kind: 2,
    parentSpanId: '',
    status: 0,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/login/:uid/verify',
      'http.response.status_code': 200,
    },
  });
  const below = collector.spans.filter(({ parentSpanId }) => parentSpanId === touch?.spanId);
  expect(below.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['delete challenges', 'insert sessions', 'insert audit']),
  );
  for (const span of below) {
    expect(span).toMatchObject({
      kind: 3,
      traceId: touch?.traceId,
      attributes: { 'db.system.name': expect.stringMatching(/^(sqlite|postgresql)$/) },
    });
    expect(span.ms).toBeLessThanOrEqual((touch?.ms ?? 0) + 5);
  }
  // Background work is in no span.
  expect(collector.spans.filter(({ parentSpanId, kind }) => parentSpanId === '' && kind !== 2)).toEqual([]);
  expect(collector.spans.some(({ name }) => name === 'POST /token')).toBe(true);
  expect(collector.resources[0]).toMatchObject({
    'service.name': 'vouch-server',
    'service.version': manifest.version,
    'deployment.environment.name': 'test',
  });
  expect(collector.requests[0]).toMatchObject({
    path: '/v1/traces',
    headers: { authorization: 'Bearer collector-key' },
  });
  const { uid } = page;
  for (const secret of [
    email,
    uid,
    code,
    access_token,
    page.browser.address,
    page.client.state,
    'secret-',
    '1111111',
  ]) {
    expect(collector.text()).not.toContain(secret);
  }
});

test('a request to KMS is a span below its request', async () => {
  const kms = await startLocalKms();
  onTestFinished(kms.close);
  useLocalKms(kms);
  const { collector, server } = await traced({ VOUCH_SIGNING_KEY: `awskms:${kms.createKey().arn}` });
  const { key } = await enrolPerson(server);
  const { client, access_token } = await signIn(server.origin, key);
  const body = { role: 'arn:aws:iam::123456789012:role/VouchDeveloper' };
  await jsonOf(await client.api('POST', '/api/aws/token', access_token, { body }));
  await server.close();
  const request = collector.spans.find(({ name }) => name === 'POST /api/aws/token');
  const calls = collector.spans.filter(
    ({ parentSpanId, name }) => parentSpanId === request?.spanId && /KMS/.test(name),
  );
  expect(calls).toMatchObject([{ name: 'KMS Sign', kind: 3, attributes: { 'rpc.service': 'KMS' } }]);
});

test('a collector that is away, or refuses, keeps nobody waiting and is told to the log alone', async () => {
  const collector = await startCollector(403);
  onTestFinished(collector.close);
  const settings = await localSettings();
  const server = await startProgram({
    ...settings,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector-key',
  });
  expect((await fetch(`${settings.VOUCH_ISSUER}/enroll`)).status).toBe(200);
  await server.end('SIGTERM');
  expect(server.status).toBe(0);
  expect(collector.requests).toHaveLength(1);
  expect(server.log).toContain('"msg":"traces are not sent"');
  expect(server.output).not.toContain('collector-key');
  expect(server.errors).toBe('');
});

describe('the variables', () => {
  const read = (variables: Record<string, string>) => readConfig({ ...HTTPS, ...variables }).traces;
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

  test.each([
    [{}, undefined],
    [{ OTEL_SERVICE_NAME: 'vouch' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    [endpoint, { ratio: 1 }],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://otel.example.com/v1/traces' }, { ratio: 1 }],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, { ratio: 1 }],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, undefined],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'true' }, undefined],
    [{ ...endpoint, OTEL_TRACES_SAMPLER: 'always_off' }, { ratio: 0 }],
    [
      { ...endpoint, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
      { ratio: 0.25 },
    ],
    [{ ...endpoint, OTEL_TRACES_SAMPLER: 'traceidratio' }, { ratio: 1 }],
  ])('%j', (variables, traces) => {
    expect(read(variables as Record<string, string>)).toEqual(traces);
  });

  test.each([
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /^OTEL_TRACES_EXPORTER is "zipkin"/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'user:secret@collector' }, /^OTEL_EXPORTER_OTLP_ENDPOINT is "\(something else\)"/],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /^OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"/],
    [{ ...endpoint, OTEL_TRACES_SAMPLER: 'jaeger_remote' }, /^OTEL_TRACES_SAMPLER is "jaeger_remote"/],
    [
      { ...endpoint, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
      /^OTEL_TRACES_SAMPLER_ARG is "2"/,
    ],
  ])('%j is refused', (variables, said) => {
    expect(() => read(variables as Record<string, string>)).toThrow(said);
  });

  test('unset, nothing of OpenTelemetry is loaded', () => {
    expect([...loadedAtStart('server/serve.ts')].filter((name) => name.startsWith('@opentelemetry/'))).toEqual([]);
  });
});
