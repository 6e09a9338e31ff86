import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { applyFault } from './faults.ts';
import {
  assume,
  type Credentials,
  credentials,
  git,
  gitCredentials,
  type Issuer,
  readCredentials,
  roleArn,
  startIssuer,
  temporaryFolder,
  trustIssuer,
} from './fixtures.ts';
import { type LocalAws, startLocalAws } from './start.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
let issuer: Issuer;
let aws: LocalAws;
let held: Credentials;
let url: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  home = await temporaryFolder();
  issuer = await startIssuer();
  aws = await startLocalAws({ folder: folder.path });
  trustIssuer(aws, issuer);
  held = await credentials(aws, issuer);
  ({ url } = await aws.createRepository({ name: 'demo' }));
});
afterEach(() => {
  aws.faults.sts = undefined;
  aws.faults.codecommit = undefined;
});
afterAll(async () => {
  await aws.close();
  await issuer.close();
  await folder.remove();
  await home.remove();
});

const ask = async () => assume(aws, await issuer.token());
const lastLogged = () => aws.log.at(-1);

describe('STS', () => {
  it('refuses new connections, cuts open ones, and comes back on the same port', async () => {
    const { hostname, port } = new URL(aws.stsUrl);
    const idle = connect(Number(port), hostname);
    idle.on('error', () => {});
    await new Promise((resolve) => idle.once('connect', resolve));
    const cut = new Promise((resolve) => idle.once('close', resolve));
    aws.faults.sts = { kind: 'refuse' };
    await cut;
    await expect(ask()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    // It stays shut when the test sets the same fault again, or clears another service's fault.
    aws.faults.sts = { kind: 'refuse' };
    aws.faults.codecommit = undefined;
    await expect(ask()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    aws.faults.sts = undefined;
    expect(await ask()).toMatchObject({ status: 200 });
  });

  it('serves late', async () => {
    aws.faults.sts = { kind: 'delay', milliseconds: 200 };
    const start = performance.now();
    expect(await ask()).toMatchObject({ status: 200 });
    // A timer may fire up to a millisecond early; on a busy machine it fires late, which is fine.
    expect(performance.now() - start).toBeGreaterThan(199);
  });

  it.each([
    { fault: { kind: 'throttle' }, status: 400, code: 'Throttling', type: 'Sender' },
    { fault: { kind: 'fail', status: 503 }, status: 503, code: 'ServiceUnavailable', type: 'Receiver' },
    { fault: { kind: 'fail', status: 500 }, status: 500, code: 'InternalFailure', type: 'Receiver' },
  ] as const)('answers $status $code as AWS does, and logs it', async ({ fault, status, code, type }) => {
    aws.faults.sts = fault;
    const answer = await ask();
    expect(answer).toMatchObject({ status, code });
    expect(answer.text('Type')).toBe(type);
    expect(answer.text('AccessKeyId')).toBeUndefined();
    expect(lastLogged()).toMatchObject({ service: 'sts', action: 'AssumeRoleWithWebIdentity', outcome: code });
  });

  it('cuts an answer in half, after it has issued the credentials', async () => {
    aws.faults.sts = { kind: 'cut' };
    const body = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'alice@example.com',
      WebIdentityToken: await issuer.token(),
    });
    const response = await fetch(aws.stsUrl, { method: 'POST', body });
    expect(response.status).toBe(200);
    let received = '';
    const read = async () => {
      for await (const chunk of response.body ?? []) received += Buffer.from(chunk).toString('utf8');
    };
    await expect(read()).rejects.toThrow('terminated');
    expect(received).toMatch(/^<AssumeRoleWithWebIdentityResponse /);
    expect(received).not.toContain('</AssumeRoleWithWebIdentityResponse>');
    expect(lastLogged()).toMatchObject({ outcome: 'OK', role: roleArn });
  });

  it('answers with garbage that is not from AWS', async () => {
    const get = async () => (await fetch(aws.stsUrl, { method: 'POST', body: await form() })).text();
    const form = async () =>
      new URLSearchParams({ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', RoleArn: roleArn });
    aws.faults.sts = { kind: 'garbage' };
    expect(await get()).toContain('Please sign in to use our network.');
    aws.faults.sts = { kind: 'garbage', body: '\0\xff<' };
    expect(await get()).toBe('\0\xff<');
  });

  it('accepts a request and never answers, while later ones are served again', async () => {
    aws.faults.sts = { kind: 'hang' };
    const reached = new Promise<void>((resolve) => {
      aws.intercept = () => void resolve();
    });
    const outcome: string[] = [];
    const giveUp = new AbortController();
    const hanging = fetch(aws.stsUrl, {
      method: 'POST',
      body: new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' }),
      signal: giveUp.signal,
    }).then(
      () => outcome.push('answered'),
      () => outcome.push('given up'),
    );
    await reached;
    aws.intercept = undefined;
    aws.faults.sts = undefined;
    expect(await ask()).toMatchObject({ status: 200 });
    expect(outcome).toEqual([]);
    giveUp.abort();
    await hanging;
    expect(outcome).toEqual(['given up']);
  });

  it("issues sessions shorter than AWS's minimum, and finds them by their credentials", async () => {
    aws.now = () => new Date('2030-01-01T00:00:00Z');
    aws.lifetime = (role, asked) => (role === roleArn && asked === 3600 ? 7 : asked);
    const at = aws.now().getTime() / 1000;
    const answer = await assume(aws, await issuer.token({ iat: at, exp: at + 300 }));
    aws.lifetime = undefined;
    aws.now = () => new Date();
    expect(answer.text('Expiration')).toBe('2030-01-01T00:00:07Z');
    const { accessKeyId, sessionToken } = readCredentials(answer);
    expect(aws.sessions.find(accessKeyId, sessionToken)).toMatchObject({ roleArn });
    expect(aws.sessions.find(accessKeyId, `${sessionToken}x`)).toBeUndefined();
  });
});

describe('CodeCommit, as Git sees it', () => {
  const lsRemote = () => git(aws, home.path, ['ls-remote', url], { credentials: gitCredentials(held) });

  it.each([
    { fault: { kind: 'throttle' }, said: 'The requested URL returned error: 429' },
    { fault: { kind: 'fail', status: 500 }, said: 'The requested URL returned error: 500' },
    { fault: { kind: 'fail', status: 503 }, said: 'The requested URL returned error: 503' },
    { fault: { kind: 'refuse' }, said: 'unable to access' },
    { fault: { kind: 'garbage' }, said: 'not valid: is this a git repository?' },
  ] as const)('$fault.kind $fault.status', async ({ fault, said }) => {
    aws.faults.codecommit = fault;
    expect(await lsRemote()).toMatchObject({ code: 128, stderr: expect.stringContaining(said) });
    aws.faults.codecommit = undefined;
    expect(await lsRemote()).toMatchObject({ code: 0 });
  });

  it('cuts an answer in half', async () => {
    // The first request has no credentials; it gets its whole answer, so that Git asks for them.
    aws.intercept = (asked) =>
      asked.request.headers.authorization === undefined ? undefined : applyFault({ kind: 'cut' }, asked);
    const result = await lsRemote();
    aws.intercept = undefined;
    expect(result).toMatchObject({ code: 128 });
    expect(result.stderr).not.toContain('The requested URL returned error');
    // The log entry comes when http-backend has ended.
    await vi.waitFor(() => expect(lastLogged()).toMatchObject({ service: 'codecommit', outcome: 'OK' }));
  });
});
