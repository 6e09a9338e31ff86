import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { KmsFailure } from '../../../server/kms/failure.ts';
import { readKmsArn } from '../../../server/kms/key-arn.ts';
import { Kms } from '../../../server/kms/kms.ts';
import type { KmsKey } from '../../aws/kms/key.ts';
import { type KmsFault, type LocalKms, startLocalKms } from '../../aws/kms/start.ts';
import { TestCa } from '../../aws/test-ca.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { useLocalKms } from './use-local-kms.ts';

let local: LocalKms;
let key: KmsKey;
let kms: Kms;
beforeAll(async () => {
  local = await startLocalKms();
  useLocalKms(local);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await local.close();
});
beforeEach(() => {
  key = local.createKey();
  kms = new Kms({});
  return () => {
    local.fault = undefined;
    kms.close();
  };
});

const arnOf = ({ arn }: { arn: string }) => readKmsArn(arn) ?? expect.fail(arn);
const digest = createHash('sha256').update('a message').digest();
const sign = (one = key) => kms.sign(arnOf(one), digest);
const failing = (call: Promise<unknown>): Promise<KmsFailure> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(KmsFailure);
      return error as KmsFailure;
    },
  );
const signed = () => local.log.filter(({ operation }) => operation === 'Sign').length;

test('the region is the ARN’s, whatever the environment’s is', async () => {
  vi.stubEnv('AWS_REGION', 'us-east-1');
  onTestFinished(() => useLocalKms(local));
  await sign();
  expect(local.log.at(-1)).toMatchObject({ region: 'eu-central-1', outcome: 'OK' });
  const elsewhere = local.createKey({ region: 'ap-southeast-2' });
  await sign(elsewhere);
  expect(local.log.at(-1)).toMatchObject({ region: 'ap-southeast-2', key: elsewhere.arn });
});

describe('a failure names what is wrong:', () => {
  test.each([
    [
      'denied',
      false,
      () => local.allow({ Version: '2012-10-17', Statement: { Effect: 'Deny', Action: '*', Resource: '*' } }),
    ],
    [
      'disabled',
      false,
      () => {
        key.state = 'Disabled';
      },
    ],
    [
      'unusable',
      false,
      () => {
        key.state = 'PendingDeletion';
      },
    ],
    [
      'wrong-key',
      false,
      () => {
        key.usage = 'KEY_AGREEMENT';
      },
    ],
    [
      'missing',
      false,
      () => {
        key = { arn: key.arn.replace(/..$/, '00') } as KmsKey;
      },
    ],
    [
      'credentials',
      true,
      () => {
        vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
      },
    ],
    [
      'throttled',
      true,
      () => {
        local.fault = { kind: 'throttle' };
      },
    ],
    [
      'broken',
      true,
      () => {
        local.fault = { kind: 'fail' };
      },
    ],
    [
      'unreachable',
      true,
      () => {
        local.fault = { kind: 'refuse' };
      },
    ],
  ] as const)('%s', async (reason, passing, arrange) => {
    onTestFinished(() => {
      local.allow({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });
      useLocalKms(local);
    });
    arrange();
    const failure = await failing(sign());
    expect(failure).toMatchObject({ reason, passing, key: key.arn });
    expect(failure.message).toMatch(/^AWS KMS, Sign with arn:aws:kms:/);
    // Nothing of the request, which is signed with the credentials.
    const whole = inspect(failure, { depth: 9, showHidden: true });
    for (const secret of [local.env.AWS_SECRET_ACCESS_KEY, local.env.AWS_SESSION_TOKEN])
      expect(whole).not.toContain(secret);
    expect(whole).not.toContain('AWS4-HMAC');
  });

  test('credentials, when there are none', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) vi.stubEnv(name, undefined);
    onTestFinished(() => useLocalKms(local));
    expect(await failing(sign())).toMatchObject({ reason: 'credentials' });
  });

  test.each<[string, KmsFault]>([
    ['a page of somebody else’s', { kind: 'garbage', body: '<title>Welcome to the Grand Hotel</title>' }],
    ['half an answer', { kind: 'garbage', body: '{"KeyId":"arn"}' }],
    ['an endless answer', { kind: 'garbage', body: `{"Signature":"${'A'.repeat(70_000)}"}` }],
  ])('%s', async (_, fault) => {
    local.fault = fault;
    const { passing } = await failing(sign());
    expect(passing).toBe(true);
  });
});

test('throttling and broken answers are tried again, three times in all', async () => {
  for (const kind of ['throttle', 'fail'] as const) {
    local.fault = { kind, times: 2 };
    const before = signed();
    await sign();
    expect(signed() - before).toBe(3);
    local.fault = { kind, times: 3 };
    await failing(sign());
    expect(local.fault).toBeUndefined();
  }
});

test('a KMS that never answers is given up, and no more than 500 requests wait for it', async () => {
  local.fault = { kind: 'hang' };
  local.mostAtOnce = 0;
  const many = Array.from({ length: 500 }, () => failing(sign()));
  expect(await failing(sign())).toMatchObject({ reason: 'busy', passing: true });
  for (const failure of await Promise.all(many)) expect(failure).toMatchObject({ reason: 'unreachable' });
  expect(local.mostAtOnce).toBeLessThanOrEqual(50);
  local.fault = undefined;
  await sign();
});

test('requests go through the proxy that the environment names', async () => {
  const asked: string[] = [];
  const proxy = createServer().on('connect', ({ url = '' }, socket) => {
    asked.push(url);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  onTestFinished(() => void proxy.close());
  vi.stubEnv('AWS_ENDPOINT_URL_KMS', undefined);
  onTestFinished(() => useLocalKms(local));
  const through = new Kms({ HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
  onTestFinished(() => through.close());
  expect(await failing(through.sign(arnOf(key), digest))).toMatchObject({ passing: true });
  // Without AWS_ENDPOINT_URL_KMS, the region's KMS is asked.
  expect(asked).toContain('kms.eu-central-1.amazonaws.com:443');
});

test('plain HTTP goes nowhere but to this machine', async () => {
  onTestFinished(() => useLocalKms(local));
  for (const url of ['http://kms.example', 'http://127.0.0.1.evil.example', 'http://192.0.2.1:8080']) {
    vi.stubEnv('AWS_ENDPOINT_URL_KMS', url);
    const plain = new Kms({});
    onTestFinished(() => plain.close());
    await expect(plain.sign(arnOf(key), digest)).rejects.toMatchObject({
      kind: 'setting-refused',
      message: expect.stringMatching(/^AWS_ENDPOINT_URL_KMS is "http:.*https/),
    });
  }
});

test('with AWS_CA_BUNDLE only its authorities are trusted', async () => {
  let asked = 0;
  const ca = await TestCa.create();
  const bundle = join(temporaryFolder(), 'ca.pem');
  writeFileSync(bundle, ca.pem);
  const context = await ca.contextFor('localhost');
  const server = createTlsServer({ SNICallback: (_, done) => done(null, context) }, (_request, response) => {
    asked += 1;
    response.end('{}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  vi.stubEnv('AWS_ENDPOINT_URL_KMS', `https://localhost:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => useLocalKms(local));
  expect(await failing(sign())).toMatchObject({ reason: 'unreachable' });
  expect(asked).toBe(0);
  const trusting = new Kms({ AWS_CA_BUNDLE: bundle });
  onTestFinished(() => trusting.close());
  const answered = await failing(trusting.sign(arnOf(key), digest));
  expect(answered).toMatchObject({ reason: 'broken', message: expect.stringContaining('incomplete') });
  expect(asked).toBe(1);
});

test('AWS_CA_BUNDLE must be a file of certificates', async () => {
  const wrong = new Kms({ AWS_CA_BUNDLE: '/dev/null' });
  onTestFinished(() => wrong.close());
  await expect(wrong.sign(arnOf(key), digest)).rejects.toMatchObject({ kind: 'setting-refused' });
});
