import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from './fixtures.ts';
import type { Session } from './sessions.ts';
import { type LocalAws, startLocalAws } from './start.ts';

let aws: LocalAws;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  aws = await startLocalAws({ folder: folder.path });
});
afterAll(async () => {
  await aws.close();
  await folder.remove();
});

function session(changes: Partial<Session> = {}): Session {
  const account = aws.account();
  const trustPolicy = {
    Version: '2012-10-17' as const,
    Statement: [{ Effect: 'Allow' as const, Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
  };
  const role = account.role('Console') ?? account.addRole({ name: 'Console', trustPolicy });
  return aws.sessions.issue({
    account,
    role,
    name: 'alice',
    issuedAt: new Date(),
    expiration: new Date(Date.now() + 3600_000),
    provider: 'arn:aws:iam::123456789012:oidc-provider/vouch.example.com',
    providerKeys: {},
    tags: {},
    transitiveTags: {},
    sourceIdentity: undefined,
    ...changes,
  });
}

const sessionText = ({ accessKeyId, secretAccessKey, sessionToken }: Session) =>
  JSON.stringify({ sessionId: accessKeyId, sessionKey: secretAccessKey, sessionToken });

/** Asks the endpoint, by its real name. */
function ask(parameters: Record<string, string>, host = 'signin.aws.amazon.com', method = 'POST') {
  const form = new URLSearchParams(parameters).toString();
  const agent = new Agent({ ca: readFileSync(aws.caFile), proxyEnv: { HTTPS_PROXY: aws.proxyUrl } });
  return new Promise<{ status: number | undefined; location: string | undefined; body: string }>((resolve, reject) => {
    const asked = request(
      `https://${host}/federation${method === 'GET' ? `?${form}` : ''}`,
      { method, agent },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (text) => (body += text));
        answer.on('end', () => {
          agent.destroy();
          resolve({ status: answer.statusCode, location: answer.headers.location, body });
        });
      },
    );
    asked.on('error', reject).end(method === 'POST' ? form : undefined);
  });
}

const tokenOf = async (one: Session) =>
  JSON.parse((await ask({ Action: 'getSigninToken', Session: sessionText(one) })).body).SigninToken;
const console_ = 'https://console.aws.amazon.com/';

test.each(['GET', 'POST'])('credentials become a token by %s, and the token leads to the console', async (method) => {
  const { status, body } = await ask({ Action: 'getSigninToken', Session: sessionText(session()) }, undefined, method);
  expect(status).toBe(200);
  const { SigninToken } = JSON.parse(body);
  const login = { Action: 'login', Issuer: 'x', Destination: console_, SigninToken };
  expect(await ask(login, undefined, 'GET')).toMatchObject({ status: 302, location: console_ });
});

test('wrong credentials, of another partition, or expired, give none', async () => {
  const refused = async (text: string, host?: string) => {
    expect((await ask({ Action: 'getSigninToken', Session: text }, host)).status).toBe(400);
  };
  await refused('{');
  await refused(sessionText({ ...session(), secretAccessKey: 'x' }));
  await refused(sessionText({ ...session(), sessionToken: 'x' }));
  await refused(sessionText(session()), 'signin.amazonaws.cn');
  await refused(sessionText(session({ expiration: new Date(Date.now() - 1000) })));
});

test('a chained role takes no SessionDuration', async () => {
  const asked = { Action: 'getSigninToken', SessionDuration: '1800' };
  expect((await ask({ ...asked, Session: sessionText(session()) })).status).toBe(200);
  expect((await ask({ ...asked, Session: sessionText(session({ provider: undefined })) })).status).toBe(400);
});

test('a token leads nowhere else, and is over after 15 minutes', async () => {
  const SigninToken = await tokenOf(session());
  const login = { Action: 'login', Issuer: 'x', SigninToken };
  for (const Destination of ['https://console.aws.amazon.com.evil.example/', 'http://console.aws.amazon.com/', 'x']) {
    expect((await ask({ ...login, Destination }, undefined, 'GET')).status).toBe(400);
  }
  const before = aws.now;
  aws.now = () => new Date(Date.now() + 16 * 60_000);
  expect((await ask({ ...login, Destination: console_ }, undefined, 'GET')).status).toBe(400);
  aws.now = before;
});
