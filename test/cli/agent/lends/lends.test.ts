import { chmodSync, existsSync, lstatSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { endLend, listLends, startLend } from '../../../../cli/agent/client/lend-requests.ts';
import { agentLogs, awsCredentials, dropSession, putSession } from '../../../../cli/agent/client/requests.ts';
import type { Lend, NewLend } from '../../../../cli/agent/protocol/lends.ts';
import { serve } from '../../../../cli/agent/serve.ts';
import { HeldCredentials } from '../../../../cli/agent/session/held-credentials.ts';
import { CodeCommitSigner } from '../../../../cli/aws/codecommit/signature.ts';
import {
  gitRequest,
  host,
  lines,
  machine,
  newSession,
  role,
  say,
  setUpChain,
  setUpProfile,
  stsError,
} from '../../support.ts';
import { hour, signedIn, signedInWithClock } from '../support.ts';

const asked: NewLend = {
  profiles: [],
  repos: ['demo'],
  branches: [],
  pullOnly: false,
  seconds: 7200,
  aws: false,
  tied: false,
};

const ask = (lend: Lend, request = gitRequest, action = 'get') =>
  say(lend.gitSocket, `action=${action}\ntimeout=900\n${request}`);

const requestFor = (changes: Record<string, string>) =>
  Object.entries({ protocol: 'https', host, path: 'v1/repos/demo', ...changes })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

/** Opens a lend, and forgets what was asked for it: AWS's credentials are got ahead. */
async function open(the: Awaited<ReturnType<typeof signedIn>>, changes: Partial<NewLend> = {}) {
  const opened = await startLend({ ...asked, ...changes }, the.env);
  the.world.calls.length = 0;
  return opened;
}

/** What the server and STS were asked so far. */
const calls = (the: Awaited<ReturnType<typeof signedIn>>) => the.world.calls.map(({ what }) => what);

test('a lent socket answers for what was lent, with credentials that AWS fences', async () => {
  const the = await signedIn();
  const { lend } = await startLend({ ...asked, name: 'build' }, the.env);
  expect(lend).toMatchObject({
    name: 'build',
    profiles: [{ profile: 'vouch', role }],
    repos: ['demo'],
    until: new Date(the.clock.now + 2 * hour).toISOString(),
    awsEndpoint: null,
    awsUntil: null,
  });
  expect(statSync(lend.folder).mode & 0o777).toBe(0o700);
  expect(lstatSync(lend.gitSocket).mode & 0o777).toBe(0o600);
  expect(lend.gitSocket).toBe(join(the.env.XDG_RUNTIME_DIR ?? '', 'vouch/lends/build/git.sock'));

  const answer = lines(await ask(lend));
  expect(answer).toMatchObject({ username: 'ASIAEXAMPLE2%sessiontoken/of+2==' });
  expect(calls(the)).toEqual(['token', 'sts']);
  const [token, sts] = the.world.calls;
  expect(JSON.parse(token?.body ?? '')).toEqual({ role, lent: 'build' });
  expect(JSON.parse(sts?.query?.get('Policy') ?? '')).toEqual({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['codecommit:GitPull', 'codecommit:GitPush'],
        Resource: ['arn:aws:codecommit:*:123456789012:demo'],
      },
    ],
  });
  const [listed] = (await listLends(the.env)).lends;
  expect(Math.floor(Date.parse(listed?.awsUntil ?? '') / 1000)).toBe(Number(answer.password_expiry_utc));
});

test('the person’s own credentials and the lent ones are never each other’s', async () => {
  const the = await signedIn();
  const own = await awsCredentials(role, undefined, the.env);
  const { lend } = await startLend(asked, the.env);
  const lent = lines(await ask(lend));
  expect(lent.username).not.toContain(own.accessKeyId);
  expect(await awsCredentials(role, undefined, the.env)).toEqual(own);
  // Neither are those of two lends.
  const other = await startLend(asked, the.env);
  expect(lines(await ask(other.lend)).username).not.toBe(lent.username);
  expect(the.world.count('sts')).toBe(3);
});

test.each([
  ['another repository', { path: 'v1/repos/other' }],
  ['a repository whose name begins like it', { path: 'v1/repos/demo2' }],
  ['its name in other letters', { path: 'v1/repos/Demo' }],
  ['a path with more in it', { path: 'v1/repos/demo/info/refs' }],
  ['a path that leads on', { path: 'v1/repos/demo/../other' }],
  ['no path', { path: '' }],
  ['another kind of path', { path: 'v2/repos/demo' }],
  ['a host of another partition', { host: 'git-codecommit.cn-north-1.amazonaws.com.cn' }],
  ['a host that is nearly AWS’s', { host: 'git-codecommit.us-east-1.amazonaws.com.evil.example' }],
  ['another profile by user name', { username: 'other' }],
  ['another profile by the helper', { 'vouch-profile': 'other' }],
  ['plain HTTP', { protocol: 'http' }],
  ['another protocol of ours', { 'vouch-protocol': '99' }],
])('%s is refused before anybody is asked, and Git asks no person', async (_, changes) => {
  const the = await signedIn();
  setUpProfile(the, 'other', 'arn:aws:iam::123456789012:role/Other');
  const { lend } = await open(the, { profiles: ['vouch'] });
  expect(await ask(lend, requestFor(changes))).toBe('quit=1\n');
  expect(calls(the)).toEqual([]);
});

test('a path that leads up or nowhere is no repository’s, whatever was lent', async () => {
  const the = await signedIn();
  const { lend } = await open(the, { repos: ['*'] });
  for (const path of ['v1/repos/..', 'v1/repos/.']) expect(await ask(lend, requestFor({ path }))).toBe('quit=1\n');
  expect(calls(the)).toEqual([]);
});

test('for a host that is not AWS’s it says nothing, so that Git goes on', async () => {
  const the = await signedIn();
  const { lend } = await open(the);
  expect(await ask(lend, requestFor({ host: 'github.com' }))).toBe('');
  for (const action of ['store', 'erase', 'exit']) expect(await ask(lend, gitRequest, action)).toBe('');
  expect(await say(lend.gitSocket, 'GET /status HTTP/1.0\r\n\r\n')).toBe('');
  expect(calls(the)).toEqual([]);
});

test('no request makes it read a file: profiles are those of the lend’s start', async () => {
  const the = await signedIn();
  const { lend } = await startLend(asked, the.env);
  const elsewhere = join(the.folder, 'config');
  const answer = await ask(lend, requestFor({ 'vouch-aws-config': elsewhere, 'vouch-aws-profile': 'other' }));
  expect(lines(answer).username).toContain('ASIAEXAMPLE');
  expect(JSON.parse(the.world.calls[0]?.body ?? '')).toMatchObject({ role });
});

test('a Git that asks by itself gets the form that it does not lose in a large push', async () => {
  const the = await signedIn();
  const { lend } = await startLend(asked, the.env);
  const announced = `capability[]=authtype\ncapability[]=state\n${gitRequest}`;
  expect(Object.keys(lines(await ask(lend, announced)))).toEqual(['username', 'password', 'password_expiry_utc']);
  // The script knows the version, and takes its pick.
  const both = lines(await ask(lend, `vouch-forms=both\n${gitRequest}`));
  expect(both).toMatchObject({ ephemeral: '1', password: expect.any(String), credential: expect.any(String) });
});

test('a region in a repository’s address counts', async () => {
  const the = await signedIn();
  const { lend } = await startLend({ ...asked, repos: ['codecommit::eu-west-1://demo'] }, the.env);
  const [, sts] = the.world.calls;
  the.world.calls.length = 0;
  expect(await ask(lend)).toBe('quit=1\n');
  expect(calls(the)).toEqual([]);
  const there = requestFor({ host: 'git-codecommit.eu-west-1.amazonaws.com' });
  expect(lines(await ask(lend, there)).username).toContain('ASIAEXAMPLE');
  expect(JSON.parse(sts?.query?.get('Policy') ?? '').Statement[0].Resource).toEqual([
    'arn:aws:codecommit:eu-west-1:123456789012:demo',
  ]);
});

test('of a chain the last role is fenced, and all of it is marked as lent', async () => {
  const the = await signedIn();
  const arn = 'arn:aws:iam::210987654321:role/Deep';
  setUpChain(the, 'deep', 'vouch', arn);
  await awsCredentials(role, undefined, the.env);
  the.world.calls.length = 0;
  const { lend } = await startLend({ ...asked, name: 'deep-work', profiles: ['deep'] }, the.env);
  expect(lines(await ask(lend)).username).toContain('ASIAEXAMPLE');
  const [token, first, second] = the.world.calls;
  expect(calls(the)).toEqual(['token', 'sts', 'sts']);
  expect(JSON.parse(token?.body ?? '')).toEqual({ role, lent: 'deep-work' });
  expect([first?.query?.get('RoleArn'), first?.query?.get('Policy')]).toEqual([role, null]);
  expect(second?.query?.get('RoleArn')).toBe(arn);
  expect(JSON.parse(second?.query?.get('Policy') ?? '').Statement[0].Resource).toEqual([
    'arn:aws:codecommit:*:210987654321:demo',
  ]);
});

test('STS is asked for no longer than the lend lasts, as far as it allows', async () => {
  const the = await signedIn();
  const [short, longer] = [
    await startLend({ ...asked, seconds: 60 }, the.env),
    await startLend({ ...asked, seconds: 1800 }, the.env),
  ];
  for (const { lend } of [short, longer]) await ask(lend);
  const asks = the.world.calls.filter(({ what }) => what === 'sts');
  const [least = 0, most = 0] = asks.map(({ query }) => Number(query?.get('DurationSeconds')));
  expect(least).toBe(900);
  // The monotonic clock counts too, and goes on here.
  expect(most).toBeGreaterThan(1700);
  expect(most).toBeLessThanOrEqual(1800);
});

test('a lend ends with its time: nobody is asked, and nothing is left', async () => {
  const the = await signedIn();
  const { lend, ended } = await startLend({ ...asked, tied: true }, the.env);
  await ask(lend);
  const before = calls(the);
  the.clock.now += 2 * hour;
  expect(await ask(lend)).toBe('quit=1\n');
  expect((await listLends(the.env)).lends).toEqual([]);
  expect(await ended).toMatchObject({ ended: 'time' });
  expect(existsSync(lend.folder)).toBe(false);
  expect(calls(the)).toEqual(before);
});

test('a lend ends when it is asked to, once', async () => {
  const the = await signedIn();
  const { lend, ended } = await startLend({ ...asked, name: 'one', tied: true }, the.env);
  await ask(lend);
  const { awsUntil } = await endLend('one', the.env);
  expect(awsUntil).toMatch(/Z$/);
  expect(await ended).toEqual({ ended: 'asked', awsUntil });
  expect(existsSync(lend.folder)).toBe(false);
  await expect(endLend('one', the.env)).rejects.toMatchObject({ kind: 'lend-unknown' });
  await expect(ask(lend)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each([true, false])('whoever is gone before the lend begins has lent nothing (tied: %s)', async (tied) => {
  const the = await signedIn();
  const asking = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  the.world.answers.token = async (response) => {
    asking.resolve();
    await goOn.promise;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"token":"a.b.c","lent":"early"}');
  };
  const socketPath = join(the.env.XDG_RUNTIME_DIR ?? '', 'vouch/agent.sock');
  const request = httpRequest({ socketPath, path: '/lends', method: 'POST' });
  request.on('error', () => {}).end(JSON.stringify({ ...asked, name: 'early', tied }));
  await asking.promise;
  request.destroy();
  // The agent has heard of it by the time that it answers another.
  await listLends(the.env);
  goOn.resolve();
  await vi.waitFor(async () => {
    const { entries } = await agentLogs(0, the.env);
    expect(entries.map(({ message }) => message)).toContainEqual(expect.stringContaining('the lend "early": '));
  });
  expect((await listLends(the.env)).lends).toEqual([]);
});

test('a lend ends, and the agent lives, whatever has become of its folder', async () => {
  const the = await signedIn();
  const { lend, ended } = await open(the, { tied: true });
  await ask(lend);
  // As when a container that has it mounted makes files of root's in it; but this is refused to root as well.
  const lends = join(lend.folder, '..');
  renameSync(lends, `${lends}-elsewhere`);
  symlinkSync(lends, lends);
  the.clock.now += 2 * hour;
  expect((await listLends(the.env)).lends).toEqual([]);
  expect(await ended).toMatchObject({ ended: 'time' });
  await expect(startLend(asked, the.env)).rejects.toMatchObject({ kind: 'folder' });
});

test('a tied lend ends with the connection, the others do not', async () => {
  const the = await signedIn();
  const tied = await startLend({ ...asked, name: 'tied', tied: true }, the.env);
  const lasting = await startLend({ ...asked, name: 'lasting' }, the.env);
  tied.close();
  lasting.close();
  await vi.waitFor(() => expect(existsSync(tied.lend.folder)).toBe(false));
  expect((await listLends(the.env)).lends.map(({ name }) => name)).toEqual(['lasting']);
});

test('a tied lend’s connection may be silent for longer than others', async () => {
  const the = await signedIn({ requestTimeout: 50 });
  const { lend } = await startLend({ ...asked, tied: true }, the.env);
  // The agent cuts each of these off after its 50 ms, and a silent connection after 300.
  for (let i = 0; i < 10; i++) await say(the.agentSocket, 'GET /status HTTP/1.1\r\n', { end: false });
  expect((await listLends(the.env)).lends.map(({ name }) => name)).toEqual([lend.name]);
});

test.each([
  ['a logout', (env: NodeJS.ProcessEnv) => dropSession(env)],
  ['another session', (env: NodeJS.ProcessEnv, url: string) => putSession(newSession(url, { accessToken: 'b' }), env)],
])('%s ends all lends', async (_, end) => {
  const the = await signedIn();
  const { lend, ended } = await startLend({ ...asked, tied: true }, the.env);
  await ask(lend);
  const before = calls(the).filter((what) => what !== 'revoke');
  await end(the.env, the.world.url);
  expect(await ended).toMatchObject({ ended: 'session' });
  expect(existsSync(lend.folder)).toBe(false);
  expect(calls(the).filter((what) => what !== 'revoke')).toEqual(before);
});

test('at its end what it was given is overwritten, the first role of a chain too', async () => {
  const the = await signedIn();
  setUpChain(the, 'deep', 'vouch', 'arn:aws:iam::210987654321:role/Deep');
  const wipe = vi.spyOn(HeldCredentials.prototype, 'wipe');
  onTestFinished(() => wipe.mockRestore());
  const { lend } = await startLend({ ...asked, profiles: ['deep'] }, the.env);
  await ask(lend);
  expect(wipe).not.toHaveBeenCalled();
  await endLend(lend.name, the.env);
  const held = wipe.mock.contexts as HeldCredentials[];
  expect(new Set(held).size).toBe(2);
  for (const one of held) expect(() => one.secretAccessKey).toThrow('The secret was dropped.');
});

test('an answer that is under way at its end is thrown away', async () => {
  const the = await signedIn();
  const { lend } = await startLend(asked, the.env);
  const sign = CodeCommitSigner.prototype.sign;
  const signing = vi.spyOn(CodeCommitSigner.prototype, 'sign').mockImplementation(async function (
    this: CodeCommitSigner,
    request,
  ) {
    const signed = await sign.call(this, request);
    await endLend(lend.name, the.env);
    return signed;
  });
  onTestFinished(() => signing.mockRestore());
  expect(await ask(lend)).toBe('');
});

test('what a killed agent has left is removed by the next one', async () => {
  const the = machine();
  const runtime = join(the.folder, 'run/vouch');
  const left = join(runtime, 'lends/old');
  mkdirSync(left, { recursive: true, mode: 0o700 });
  chmodSync(runtime, 0o700);
  writeFileSync(join(left, 'git.sock'), '');
  const running = await serve({ env: the.env });
  onTestFinished(() => running?.end());
  expect(existsSync(left)).toBe(false);
});

test('it lasts no longer than the session', async () => {
  const the = await signedIn();
  const { lend } = await startLend({ ...asked, seconds: 24 * 3600 }, the.env);
  expect(lend.until).toBe(new Date(the.clock.now + 8 * hour).toISOString());
});

test('without a session, or with a server that cannot mark it, nothing is lent', async () => {
  const the = await signedIn();
  the.world.answers.token = (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"token":"a.b.c"}');
  await expect(startLend(asked, the.env)).rejects.toMatchObject({ kind: 'old-server' });
  expect(calls(the)).toEqual(['token']);
  expect((await listLends(the.env)).lends).toEqual([]);
  await dropSession(the.env).catch(() => {});
  await expect(startLend(asked, the.env)).rejects.toMatchObject({ category: 'no-session' });
});

test('what AWS refuses at the start is said, and nothing is open', async () => {
  const the = await signedIn();
  the.world.answers.sts = stsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  await expect(startLend(asked, the.env)).rejects.toMatchObject({
    kind: 'aws-refused',
    why: expect.stringContaining('or forbids lending'),
  });
  the.world.answers.sts = stsError('PackedPolicyTooLarge', 'Packed policy consumes 120% of allotted space', 400);
  await expect(startLend(asked, the.env)).rejects.toMatchObject({ why: expect.stringContaining('The fence and') });
  expect(await listLends(the.env)).toEqual({ lends: [] });
});

test('while AWS is down a lend can be opened, and works later', async () => {
  const the = await signedInWithClock();
  the.world.answers.sts = stsError('ServiceUnavailable', 'Later', 503);
  const { lend } = await open(the);
  expect(await ask(lend)).toBe('quit=1\n');
  expect(calls(the)).toEqual([]);
  delete the.world.answers.sts;
  the.ahead.by += 6000;
  expect(lines(await ask(lend)).username).toContain('ASIAEXAMPLE');
});

test('a refusal of AWS is not asked for again and again', async () => {
  const the = await signedInWithClock();
  the.world.answers.sts = stsError('ServiceUnavailable', 'Later', 503);
  const { lend } = await open(the);
  the.world.answers.sts = stsError('AccessDenied', 'Not authorized to perform sts:TagSession');
  the.ahead.by += 6000;
  for (let i = 0; i < 5; i++) expect(await ask(lend)).toBe('quit=1\n');
  expect(calls(the)).toEqual(['token', 'sts']);
});

test('however many profiles AWS refuses, a lend asks for no more tokens than one', async () => {
  const the = await signedInWithClock();
  const names = Array.from({ length: 5 }, (_, n) => `p${n}`);
  for (const name of names) setUpProfile(the, name, `arn:aws:iam::123456789012:role/${name}`);
  the.world.answers.sts = stsError('ServiceUnavailable', 'Later', 503);
  const { lend } = await open(the, { profiles: names });
  the.world.answers.sts = stsError('AccessDenied', 'Not authorized to perform sts:TagSession');
  // Ten minutes, in which the server gives a session 300 tokens for all that it does.
  for (let second = 0; second < 600; second += 10) {
    the.ahead.by += 10_000;
    for (const username of names) expect(await ask(lend, requestFor({ username }))).toBe('quit=1\n');
  }
  expect(the.world.count('token')).toBeLessThanOrEqual(2 * 5 + 600 / 30);
});

test('refusals do not push all else out of the log', async () => {
  const the = await signedIn();
  const { lend } = await startLend(asked, the.env);
  for (let i = 0; i < 60; i++) await ask(lend, requestFor({ path: `v1/repos/no-${i}` }));
  const { entries } = await agentLogs(0, the.env);
  expect(entries.filter(({ message }) => message.includes('no-')).length).toBe(20);
  expect(entries.at(-1)?.message).toContain('further refusals are not logged');
});

test.each<[string, Partial<NewLend>, string]>([
  ['a name that is a path', { name: '../x' }, 'bad-request'],
  ['an unknown profile', { profiles: ['nobody'] }, 'unknown-profile'],
  ['a repository of another partition', { repos: ['codecommit::cn-north-1://demo'] }, 'usage'],
  ['no pattern of names', { repos: ['a/b'] }, 'usage'],
  ['a fence that AWS would not take', { repos: Array.from({ length: 60 }, (_, n) => `repository-${n}`) }, 'usage'],
  ['a branch that is a ref', { branches: ['$' + '{x}'] }, 'usage'],
  ['branches of a pull', { pullOnly: true, branches: ['main'] }, 'usage'],
  ['no time', { seconds: 0 }, 'bad-request'],
  ['more than a week', { seconds: 8 * 24 * 3600 }, 'bad-request'],
])('%s: nothing is opened', async (_, changes, kind) => {
  const the = await signedIn();
  await expect(startLend({ ...asked, ...changes }, the.env)).rejects.toMatchObject({ kind });
  expect(await listLends(the.env)).toEqual({ lends: [] });
});

test('names are unique among those that live, and there are not too many', async () => {
  const the = await signedIn();
  const open = await startLend({ ...asked, name: 'one' }, the.env);
  await expect(startLend({ ...asked, name: 'one' }, the.env)).rejects.toMatchObject({ kind: 'lend-exists' });
  await endLend('one', the.env);
  const again = await startLend({ ...asked, name: 'one' }, the.env);
  expect(again.lend.gitSocket).toBe(open.lend.gitSocket);
  const all = await Promise.allSettled(Array.from({ length: 40 }, () => startLend(asked, the.env)));
  expect(all.filter(({ status }) => status === 'fulfilled').length).toBe(31);
  onTestFinished(() => the.running.end());
});
