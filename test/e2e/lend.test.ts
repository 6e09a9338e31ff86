import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { endLend, listLends, startLend } from '../../cli/agent/client/lend-requests.ts';
import type { Lend, NewLend } from '../../cli/agent/protocol/lends.ts';
import { asEnvironment } from '../../cli/lend/as-environment.ts';
import { gitSettings } from '../../cli/lend/git-settings.ts';
import type { Statement } from '../aws/policy.ts';
import { startWorld, type World } from '../chaos/world.ts';
import { run } from '../cli/support.ts';

/** A place with Git alone, and a lent socket: nothing of Vouch's is on its PATH, in its HOME or in its environment. */

let world: World;
let places = 0;
let place: string;

beforeAll(async () => {
  world = await startWorld(1);
  for (const name of ['demo', 'other']) await world.aws.createRepository({ name });
  await world.aws.createRepository({ name: 'demo', region: 'eu-west-1' });
  await world.logIn();
  const seed = await open({});
  const work = elsewhere();
  await git(seed, work, 'clone', '-q', url('demo'), 'seed');
  await commit(join(work, 'seed'), 'main');
  expect(await git(seed, join(work, 'seed'), 'push', '-q', 'origin', 'HEAD:main')).toMatchObject({ code: 0 });
});
afterAll(() => world?.close());
beforeEach(() => {
  place = elsewhere();
});
afterEach(async () => {
  for (const { name } of (await listLends(world.env)).lends) await endLend(name, world.env);
});

function elsewhere(): string {
  const path = join(world.env.HOME ?? '', `../place-${++places}`);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

const url = (name: string, region = 'us-east-1') => `https://git-codecommit.${region}.amazonaws.com/v1/repos/${name}`;

async function open(changes: Partial<NewLend>): Promise<Lend> {
  const usual = {
    profiles: ['role1'],
    repos: ['demo'],
    branches: [],
    pullOnly: false,
    seconds: 3600,
    aws: false,
    tied: false,
  };
  return (await startLend({ ...usual, ...changes }, world.env)).lend;
}

function git(lend: Lend, cwd: string, ...args: string[]) {
  const settings = [...world.aws.gitConfig, ...gitSettings(lend, lend.gitSocket)];
  const env = {
    PATH: process.env.PATH,
    HOME: place ?? cwd,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    LC_ALL: 'C',
    ...asEnvironment(settings),
  };
  return run('git', ['-C', cwd, '-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], env);
}

async function commit(cwd: string, name: string): Promise<void> {
  writeFileSync(join(cwd, name), `${places} ${Math.random()}\n`);
  const env = { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_NOSYSTEM: '1' };
  const by = ['-c', 'user.name=A', '-c', 'user.email=a@example.com'];
  await run('git', ['-C', cwd, 'add', '.'], env);
  expect(await run('git', ['-C', cwd, ...by, 'commit', '-qm', name], env)).toMatchObject({ code: 0 });
}

/** What AWS's STS was asked, and CodeCommit with credentials. */
const asked = () => world.aws.log.filter(({ outcome }) => outcome !== 'MissingAuthenticationTokenException');

test('clone, fetch and push through a lent socket', async () => {
  const lend = await open({ name: 'build' });
  const work = join(place, 'demo');
  expect(await git(lend, place, 'clone', '-q', url('demo'))).toMatchObject({ code: 0, stderr: '' });
  await commit(work, 'more');
  expect(await git(lend, work, 'push', '-q', 'origin', 'HEAD:main')).toMatchObject({ code: 0 });
  expect(await git(lend, work, 'fetch', '-q')).toMatchObject({ code: 0, stderr: '' });
  const assumed = world.aws.log.findLast(({ action }) => action === 'AssumeRoleWithWebIdentity');
  expect(assumed).toMatchObject({ session: 'alice@example.com', principalTags: { 'vouch:Lent': 'build' } });
});

test('a URL may name the profile', async () => {
  const lend = await open({});
  const named = url('demo').replace('https://', 'https://role1@');
  expect(await git(lend, place, 'ls-remote', named)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('main'),
  });
  const before = asked().length;
  const other = await git(lend, place, 'ls-remote', url('demo').replace('https://', 'https://role2@'));
  expect(other.code).toBe(128);
  // CodeCommit refuses the name without a password, and STS is not asked.
  expect(
    asked()
      .slice(before)
      .map(({ service }) => service),
  ).not.toContain('sts');
});

test('a push to another branch is refused by AWS', async () => {
  const lend = await open({ branches: ['agent/*'] });
  await git(lend, place, 'clone', '-q', url('demo'));
  const work = join(place, 'demo');
  await commit(work, 'branch');
  expect(await git(lend, work, 'push', '-q', 'origin', 'HEAD:refs/heads/agent/one')).toMatchObject({ code: 0 });
  for (const refs of [['HEAD:main'], ['HEAD:refs/heads/agent/two', 'HEAD:main'], [':main'], ['HEAD:refs/tags/x']]) {
    const refused = await git(lend, work, 'push', 'origin', ...refs);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('403');
    expect(world.aws.log.at(-1)).toMatchObject({
      action: 'GitPush',
      outcome: 'AccessDeniedException',
      message: expect.stringContaining('with an explicit deny in a session policy'),
    });
  }
});

test('another repository and another region are refused, and AWS is not asked', async () => {
  const lend = await open({ repos: [url('demo')] });
  const before = asked().length;
  for (const address of [url('other'), url('demo', 'eu-west-1'), url('demo2')]) {
    const refused = await git(lend, place, 'ls-remote', address);
    expect(refused.code).toBe(128);
    expect(refused.stderr).toMatch(
      /^vouch: The lend \w+ does not open this, or is over\.\nfatal: .* told us to quit$/m,
    );
  }
  expect(asked().length).toBe(before);
});

test('after its end nothing is answered, AWS is not asked, and Git starts no cache of its own', async () => {
  const lend = await open({});
  expect(await git(lend, place, 'clone', '-q', url('demo'))).toMatchObject({ code: 0 });
  await endLend(lend.name, world.env);
  const before = asked().length;
  const work = join(place, 'demo');
  const refused = await git(lend, work, 'fetch');
  expect(refused.code).toBe(128);
  // Git would otherwise ask a person for a user name.
  expect(refused.stderr).toMatch(/or is over\.\nfatal: .* told us to quit$/m);
  // Git asks the helper to store what somebody typed.
  const typed = `protocol=https\nhost=git-codecommit.us-east-1.amazonaws.com\npath=v1/repos/demo\nusername=a\npassword=b\n`;
  const settings = asEnvironment(gitSettings(lend, lend.gitSocket));
  await run('git', ['credential', 'approve'], { PATH: process.env.PATH, HOME: place, ...settings }, typed);
  expect([existsSync(lend.folder), existsSync(lend.gitSocket)]).toEqual([false, false]);
  expect(asked().length).toBe(before);
});

test('with --pull-only AWS refuses a push, and git push says why', async () => {
  const lend = await open({ pullOnly: true, name: 'reader', repos: ['codecommit::us-east-1://demo'] });
  expect(await git(lend, place, 'clone', '-q', 'codecommit::us-east-1://demo')).toMatchObject({ code: 0, stderr: '' });
  const work = join(place, 'demo');
  await commit(work, 'no');
  for (const remote of ['origin', url('demo')]) {
    const refused = await git(lend, work, 'push', remote, 'HEAD:main');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('vouch: The lend reader is for pulling only, so AWS refuses this push.');
    expect(refused.stderr).toContain('403');
    expect(world.aws.log.at(-1)).toMatchObject({
      action: 'GitPush',
      outcome: 'AccessDeniedException',
      message: expect.stringContaining('because no session policy allows the codecommit:GitPush action'),
    });
  }
  expect(await git(lend, work, 'fetch')).toMatchObject({ code: 0, stderr: '' });
});

test('through a chained role, the fence is at its end, and the mark goes all the way', async () => {
  const account = world.aws.account();
  const Principal = { AWS: `arn:aws:iam::${account.id}:root` };
  const Action = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];
  const git2: Statement = { Effect: 'Allow', Action: 'codecommit:*', Resource: '*' };
  const { arn } = account.addRole({
    name: 'Deep',
    trustPolicy: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Principal } },
    permissionPolicies: [{ Version: '2012-10-17', Statement: git2 }],
  });
  account.setPolicies('Role1', {
    permissionPolicies: [{ Version: '2012-10-17', Statement: [git2, { ...git2, Action }] }],
  });
  const file = join(world.env.HOME ?? '', '.aws/config');
  appendFileSync(file, `[profile deep]\nrole_arn = ${arn}\nsource_profile = role1\n`);
  const lend = await open({ profiles: ['deep'], pullOnly: true, name: 'far' });
  expect(await git(lend, place, 'clone', '-q', url('demo'))).toMatchObject({ code: 0 });
  const work = join(place, 'demo');
  await commit(work, 'no');
  expect((await git(lend, work, 'push', 'origin', 'HEAD:main')).stderr).toContain('403');
  const [session] = [...world.aws.sessions.all()].filter(({ roleArn }) => roleArn === arn);
  expect(session).toMatchObject({
    tags: { 'vouch:Lent': 'far' },
    policy: { Statement: [{ Action: 'codecommit:GitPull' }] },
  });
});

test('a trust policy can forbid lending', async () => {
  const account = world.aws.account();
  const before = account.role('Role1')?.trustPolicy;
  const statement = Object(before).Statement;
  const Condition = { Null: { 'aws:RequestTag/vouch:Lent': 'true' } };
  account.setPolicies('Role1', { trustPolicy: { Version: '2012-10-17', Statement: { ...statement, Condition } } });
  const refused = await open({}).catch((error: unknown) => error);
  account.setPolicies('Role1', { trustPolicy: { Version: '2012-10-17', Statement: statement } });
  expect(refused).toMatchObject({ kind: 'aws-refused', why: expect.stringContaining('forbids lending') });
  expect(asked().at(-1)).toMatchObject({ action: 'AssumeRoleWithWebIdentity', outcome: 'AccessDenied' });
});
