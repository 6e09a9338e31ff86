import { request as httpRequest } from 'node:http';
import { STSClient } from '@aws-sdk/client-sts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { endLend, listLends, startLend } from '../../../../cli/agent/client/lend-requests.ts';
import { agentLogs } from '../../../../cli/agent/client/requests.ts';
import { AwsEndpoint } from '../../../../cli/agent/lends/aws-endpoint.ts';
import { stsError } from '../../support.ts';
import { signedIn, signedInWithClock } from '../support.ts';

const asked = { profiles: [], repos: ['demo'], branches: [], pullOnly: true, seconds: 3600, aws: true, tied: false };

async function lent(the: Awaited<ReturnType<typeof signedIn>>) {
  const { lend } = await startLend(asked, the.env);
  const [, sts] = the.world.calls.splice(0);
  const { url = '', token = '' } = lend.awsEndpoint ?? {};
  return { the, lend, url, token, policy: JSON.parse(sts?.query?.get('Policy') ?? '') };
}

/** `fetch` would not send another Host. */
function ask(url: string, headers: Record<string, string>, method = 'GET'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject).end();
  });
}

test('gives the fenced credentials in the form of AWS’s container provider', async () => {
  const { the, lend, url, token, policy } = await lent(await signedIn());
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/credentials$/);
  const { status, text } = await ask(url, { authorization: token });
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual({
    AccessKeyId: 'ASIAEXAMPLE2',
    SecretAccessKey: 'secret/of+2',
    Token: 'sessiontoken/of+2==',
    Expiration: new Date(the.clock.now + 3600_000).toISOString(),
  });
  expect(policy.Statement).toEqual([
    { Effect: 'Allow', Action: 'codecommit:GitPull', Resource: ['arn:aws:codecommit:*:123456789012:demo'] },
    {
      Effect: 'Deny',
      NotAction: 'codecommit:GitPull',
      Resource: '*',
      Condition: { Bool: { 'aws:ViaAWSService': 'false' } },
    },
  ]);
  // AWS honours them to their own end, and that is said.
  expect((await endLend(lend.name, the.env)).awsUntil).toBe(new Date(the.clock.now + 3600_000).toISOString());
  await expect(ask(url, { authorization: token })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('AWS’s own SDK finds it by the two variables', async () => {
  const { the, url, token } = await lent(await signedIn());
  vi.stubEnv('HOME', the.folder);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', url);
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', token);
  onTestFinished(() => void vi.unstubAllEnvs());
  const client = new STSClient({ region: 'us-east-1' });
  expect(await client.config.credentials()).toMatchObject({
    accessKeyId: 'ASIAEXAMPLE2',
    sessionToken: 'sessiontoken/of+2==',
    expiration: new Date(the.clock.now + 3600_000),
  });
});

test('its token is told only to whoever opened the lend', async () => {
  const { the, url, token } = await lent(await signedIn());
  const [listed] = (await listLends(the.env)).lends;
  expect(listed?.awsEndpoint).toEqual({ url });
  expect(JSON.stringify(await agentLogs(0, the.env))).not.toContain(token);
});

test.each([
  ['without the token', 401, (): Record<string, string> => ({})],
  ['with half of it', 401, (token: string) => ({ authorization: token.slice(0, 20) })],
  ['with another one', 401, (token: string) => ({ authorization: `${token.slice(0, -1)}!` })],
  ['with a scheme before it', 401, (token: string) => ({ authorization: `Bearer ${token}` })],
  ['for a name that leads here', 403, (token: string) => ({ authorization: token, host: 'evil.example' })],
])('%s it gives nothing, and nobody is asked', async (_, status, headers) => {
  const { the, url, token } = await lent(await signedIn());
  expect(await ask(url, headers(token))).toMatchObject({ status, text: expect.not.stringContaining('secret') });
  expect(the.world.calls).toEqual([]);
});

test('it knows no other path and no other method', async () => {
  const { the, url, token } = await lent(await signedIn());
  for (const [address, method] of [
    [url.replace('credentials', 'status'), 'GET'],
    [`${url}?x`, 'GET'],
    [url, 'POST'],
    [url, 'DELETE'],
  ] as const) {
    expect((await ask(address, { authorization: token }, method)).status).toBe(404);
  }
  expect(the.world.calls).toEqual([]);
});

test('when AWS refuses, it says nothing of why, and asks once', async () => {
  const the = await signedInWithClock();
  the.world.answers.sts = stsError('ServiceUnavailable', 'Later', 503);
  const { url, token } = await lent(the);
  the.ahead.by += 6000;
  the.world.answers.sts = stsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  for (let i = 0; i < 3; i++) {
    expect(await ask(url, { authorization: token })).toEqual({
      status: 502,
      text: '{"code":"NoCredentials","message":"Vouch gives no credentials for this request."}',
    });
  }
  expect(the.world.count('sts')).toBe(1);
});

test('closed before it listens, it never listens: a lend may end while it begins', async () => {
  const endpoint = new AwsEndpoint(() => Promise.reject(new Error('no')), { requestTimeout: 5000, connections: 4 });
  const listening = endpoint.listen();
  endpoint.close();
  await expect(listening).rejects.toThrow('closed');
});
