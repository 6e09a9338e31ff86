import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  accountId,
  assume,
  type Credentials,
  credentials,
  type GitResult,
  git,
  gitCredentials,
  type Issuer,
  readCredentials,
  startIssuer,
  temporaryFolder,
  trust,
  trustIssuer,
  tunnel,
} from './fixtures.ts';
import { firstRegion, hostOf, repositoryUrl } from './hosts.ts';
import type { PolicyDocument, Statement } from './policy.ts';
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
  ({ url } = await aws.createRepository({ name: 'demo' }));
});
afterAll(async () => {
  await aws.close();
  await issuer.close();
  await folder.remove();
  await home.remove();
});
beforeEach(async () => {
  aws.now = () => new Date();
  aws.intercept = undefined;
  trustIssuer(aws, issuer);
  held = await credentials(aws, issuer);
});

const host = 'git-codecommit.us-east-1.amazonaws.com';
const lsRemote = (signed: { username: string; password: string }, repository = url) =>
  git(aws, home.path, ['ls-remote', repository], { credentials: signed });

/** Git prints only the status; the log says why. */
function expectRefused(result: GitResult, status: 403 | 404, code: string): void {
  const said = status === 403 ? 'The requested URL returned error: 403' : 'not found';
  expect(result).toMatchObject({ code: 128, stderr: expect.stringContaining(said) });
  expect(aws.log.at(-1)).toMatchObject({ service: 'codecommit', outcome: code });
}

/** Gives the role only these permissions. */
const permit = (...permissionPolicies: object[]) =>
  aws.account().setPolicies('VouchDeveloper', {
    permissionPolicies: permissionPolicies.map((statement) => ({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 'codecommit:*', Resource: '*', ...statement },
    })),
  });

describe('the real Git', () => {
  it('clones, pushes and fetches', async () => {
    const repository = await aws.createRepository({ name: 'story.v1_x-y' });
    const signed = { credentials: gitCredentials(held, { path: '/v1/repos/story.v1_x-y' }) };
    const first = join(home.path, 'first');
    expect(await git(aws, home.path, ['clone', repository.url, first], signed)).toMatchObject({ code: 0 });
    await writeFile(join(first, 'README'), 'hello\n');
    for (const args of [
      ['add', '.'],
      ['commit', '-m', 'Say hello'],
    ])
      await git(aws, home.path, args, { cwd: first });
    const branch = (await git(aws, home.path, ['symbolic-ref', '--short', 'HEAD'], { cwd: first })).stdout.trim();
    expect(branch).toBe('main');
    const pushed = await git(aws, home.path, ['push', 'origin', 'main'], { ...signed, cwd: first });
    expect(pushed.stderr).toContain('main -> main');

    const second = join(home.path, 'second');
    expect(await git(aws, home.path, ['clone', repository.url, second], signed)).toMatchObject({ code: 0 });
    expect(await readFile(join(second, 'README'), 'utf8')).toBe('hello\n');
    expect(await readdir(join(folder.path, 'repos', accountId, 'us-east-1'))).toContain('story.v1_x-y.git');
    expect(
      aws.log.filter(({ repo }) => repo === 'story.v1_x-y').map(({ action, outcome }) => `${action} ${outcome}`),
    ).toEqual(
      expect.arrayContaining([
        'GitPull MissingAuthenticationTokenException',
        'GitPull OK',
        'GitPush MissingAuthenticationTokenException',
        'GitPush OK',
      ]),
    );
    expect(aws.log.at(-1)).toMatchObject({
      role: expect.stringMatching(/VouchDeveloper$/),
      session: 'alice@example.com',
    });
    const log = await readFile(join(folder.path, 'aws.log'), 'utf8');
    expect(
      log
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(aws.log);
    expect(log).not.toContain(held.sessionToken.slice(20, 60));
    expect(log).not.toContain(signed.credentials.password.slice(17));
  });

  it.each([
    ['in pieces', 'http.postBuffer=65536'],
    ['in one piece', 'http.postBuffer=16777216'],
  ])('pushes and clones 4 MB, %s', async (_name, setting) => {
    const name = `large${_name.length}`;
    const repository = await aws.createRepository({ name });
    const signed = { credentials: gitCredentials(held, { path: `/v1/repos/${name}` }), config: [setting] };
    const work = join(home.path, name);
    await git(aws, home.path, ['init', '-q', '-b', 'main', work]);
    const data = randomBytes(4_000_000);
    await writeFile(join(work, 'data'), data);
    for (const args of [
      ['add', '.'],
      ['commit', '-q', '-m', 'Large'],
    ])
      await git(aws, home.path, args, { cwd: work });
    const pushed = await git(aws, home.path, ['push', repository.url, 'main'], { ...signed, cwd: work });
    expect(pushed).toMatchObject({ code: 0 });
    const clone = join(home.path, `${name}-clone`);
    expect(await git(aws, home.path, ['clone', '-q', repository.url, clone], signed)).toMatchObject({ code: 0 });
    expect((await readFile(join(clone, 'data'))).equals(data)).toBe(true);
  });

  it('fetches with a compressed request, and with each version of the protocol', async () => {
    const repository = await aws.createRepository({ name: 'many' });
    const signed = gitCredentials(held, { path: '/v1/repos/many' });
    const work = join(home.path, 'many');
    await git(aws, home.path, ['init', '-q', '-b', 'main', work]);
    for (let i = 0; i < 20; i++)
      await git(aws, home.path, ['commit', '-q', '--allow-empty', '-m', `${i}`], { cwd: work });
    await git(aws, home.path, ['push', '-q', repository.url, 'main'], { cwd: work, credentials: signed });
    const encodings: (string | undefined)[] = [];
    const protocols: (string | string[] | undefined)[] = [];
    aws.intercept = ({ request }) => {
      encodings.push(request.headers['content-encoding']);
      protocols.push(request.headers['git-protocol']);
      return undefined;
    };
    const other = join(home.path, 'other');
    await git(aws, home.path, ['init', '-q', other]);
    // Many `have` lines that the server does not know make the request so long that Git compresses it.
    for (let i = 0; i < 60; i++)
      await git(aws, home.path, ['commit', '-q', '--allow-empty', '-m', `x${i}`], { cwd: other });
    for (const version of ['0', '2']) {
      const config = [`protocol.version=${version}`];
      const args = ['fetch', repository.url, `main:from-${version}`];
      expect(await git(aws, home.path, args, { cwd: other, credentials: signed, config })).toMatchObject({ code: 0 });
    }
    expect(encodings).toContain('gzip');
    expect(protocols).toContain('version=2');
  });

  it('reaches the FIPS host, whose name is in the signature', async () => {
    const fips = host.replace('git-codecommit', 'git-codecommit-fips');
    const to = url.replace(host, fips);
    expect(await lsRemote(gitCredentials(held, { host: fips }), to)).toMatchObject({ code: 0 });
    expectRefused(await lsRemote(gitCredentials(held), to), 403, 'InvalidSignatureException');
  });

  it('may write the host in capitals, and then the signature must have them too', async () => {
    const capitals = host.replace('git-codecommit', 'GIT-CodeCommit');
    const to = url.replace(host, capitals);
    expect(await lsRemote(gitCredentials(held, { host: capitals }), to)).toMatchObject({ code: 0 });
    expectRefused(await lsRemote(gitCredentials(held), to), 403, 'InvalidSignatureException');
  });

  it('is asked for a user name and a password', async () => {
    const asked = await git(aws, home.path, ['ls-remote', url]);
    expect(asked).toMatchObject({ code: 128, stderr: expect.stringContaining('could not read Username') });
    expect(aws.log.at(-1)).toMatchObject({ outcome: 'MissingAuthenticationTokenException' });
  });
});

describe("every partition's hosts", () => {
  const endpoint = 'vpce-0b47ea360adebf88a-jkl88hez';

  /** Adds an account in that partition. @returns its first region, and credentials there */
  async function inPartition(id: string, partition: string) {
    const account = aws.addAccount(id, partition);
    const region = firstRegion(partition);
    account.addProvider({ url: issuer.url, clientIds: [issuer.url] });
    const { arn } = account.addRole({
      name: 'Developer',
      trustPolicy: { Statement: { ...trust(issuer), Principal: { Federated: account.providerArn(issuer.url) } } },
      permissionPolicies: [{ Statement: { Effect: 'Allow', Action: 'codecommit:*', Resource: '*' } }],
    });
    await aws.createRepository({ name: 'demo', account: id });
    return { region, held: readCredentials(await assume(aws, await issuer.token(), { RoleArn: arn })) };
  }

  it.each([
    ['aws', '410987654321'],
    ['aws-us-gov', '510987654321'],
    ['aws-cn', '610987654321'],
    ['aws-eusc', '710987654321'],
  ])('%s: public, FIPS, PrivateLink and both', async (partition, id) => {
    const there = await inPartition(id, partition);
    const { region } = there;
    for (const kind of [{}, { fips: true }, { endpoint }, { fips: true, endpoint: `${endpoint}-${region}a` }]) {
      const host = hostOf(region, kind);
      const to = repositoryUrl(region, 'demo', kind);
      const signed = gitCredentials(there.held, { host, region });
      expect(await lsRemote(signed, to), to).toMatchObject({ code: 0 });
      expect(aws.log.at(-1)).toMatchObject({ host, region, outcome: 'OK' });
      // A signature for one host of a region is invalid at another.
      const elsewhere = gitCredentials(there.held, { host: `x${host}`, region });
      expectRefused(await lsRemote(elsewhere, to), 403, 'InvalidSignatureException');
    }
  });

  it("do not know another partition's credentials", async () => {
    const china = await inPartition('610987654321', 'aws-cn');
    expectRefused(await lsRemote(gitCredentials(china.held)), 403, 'UnrecognizedClientException');
    const signed = gitCredentials(held, { host: hostOf(china.region), region: china.region });
    expectRefused(await lsRemote(signed, repositoryUrl(china.region, 'demo')), 403, 'UnrecognizedClientException');
  });

  it("have no repository of another partition's account", async () => {
    await expect(aws.createRepository({ name: 'demo', region: 'cn-north-1' })).rejects.toThrow('not in the partition');
  });
});

describe('credentials', () => {
  const minutes = (count: number) => new Date(Date.now() + count * 60_000);

  it('are valid for fifteen minutes before and after the signing time', async () => {
    expect(await lsRemote(gitCredentials(held, { date: minutes(-14.8) }))).toMatchObject({ code: 0 });
    expect(await lsRemote(gitCredentials(held, { date: minutes(14.8) }))).toMatchObject({ code: 0 });
    expectRefused(await lsRemote(gitCredentials(held, { date: minutes(-15.1) })), 403, 'InvalidSignatureException');
    expectRefused(await lsRemote(gitCredentials(held, { date: minutes(15.1) })), 403, 'InvalidSignatureException');
  });

  it.each<[string, (good: { username: string; password: string }) => { username: string; password: string }, string]>([
    [
      'another signature',
      ({ username, password }) => ({
        username,
        password: password.slice(0, -1) + (password.endsWith('0') ? '1' : '0'),
      }),
      'InvalidSignatureException',
    ],
    [
      'another date',
      ({ username, password }) => ({
        username,
        password: password.replace(/\dZ/, (end) => `${(Number(end[0]) + 1) % 10}Z`),
      }),
      'InvalidSignatureException',
    ],
    [
      'a date that is none',
      ({ username, password }) => ({ username, password: `20260231T000000Z${password.slice(16)}` }),
      'IncompleteSignatureException',
    ],
    [
      'a signature in capitals',
      ({ username, password }) => ({ username, password: password.slice(0, 16) + password.slice(16).toUpperCase() }),
      'IncompleteSignatureException',
    ],
    [
      'something after the signature',
      ({ username, password }) => ({ username, password: `${password}0` }),
      'IncompleteSignatureException',
    ],
    ['no password', ({ username }) => ({ username, password: '' }), 'IncompleteSignatureException'],
    [
      'no session token',
      ({ username, password }) => ({ username: username.split('%')[0] ?? '', password }),
      'UnrecognizedClientException',
    ],
    [
      'an empty session token',
      ({ username, password }) => ({ username: `${username.split('%')[0]}%`, password }),
      'UnrecognizedClientException',
    ],
    [
      'another session token',
      ({ username, password }) => ({ username: `${username}=`, password }),
      'UnrecognizedClientException',
    ],
    [
      'an unknown access key',
      ({ username, password }) => ({ username: username.replace(/^ASIA.{16}/, 'ASIAIOSFODNN7EXAMPLE'), password }),
      'UnrecognizedClientException',
    ],
  ])('are refused: %s', async (_name, change, code) => {
    expectRefused(await lsRemote(change(gitCredentials(held))), 403, code);
  });

  it.each<[string, Parameters<typeof gitCredentials>[1]]>([
    ['another region', { region: 'us-west-2' }],
    ['another host', { host: 'git-codecommit.us-west-2.amazonaws.com' }],
    ['another repository', { path: '/v1/repos/other' }],
    ['a path without its first slash', { path: 'v1/repos/demo' }],
    ['the path that is asked for', { path: '/v1/repos/demo/info/refs' }],
    ['the host with its port', { host: `${host}:443` }],
  ])('are refused: signed for %s', async (_name, changes) => {
    expectRefused(await lsRemote(gitCredentials(held, changes)), 403, 'InvalidSignatureException');
  });

  it("are refused: signed with another session's secret", async () => {
    const other = await credentials(aws, issuer);
    const mixed = { ...held, secretAccessKey: other.secretAccessKey };
    expectRefused(await lsRemote(gitCredentials(mixed)), 403, 'InvalidSignatureException');
  });

  it('are refused in another region than the one they were signed for, and valid there if signed for it', async () => {
    const west = await aws.createRepository({ name: 'demo', region: 'us-west-2' });
    expectRefused(await lsRemote(gitCredentials(held), west.url), 403, 'InvalidSignatureException');
    const good = { host: 'git-codecommit.us-west-2.amazonaws.com', region: 'us-west-2' };
    expect(await lsRemote(gitCredentials(held, good), west.url)).toMatchObject({ code: 0 });
  });

  it('are refused: the session is over', async () => {
    const assumed = await assume(aws, await issuer.token(), { DurationSeconds: '900' });
    const end = Date.parse(assumed.text('Expiration') ?? '');
    const short = readCredentials(assumed);
    aws.now = () => new Date(end - 1);
    expect(await lsRemote(gitCredentials(short, { date: aws.now() }))).toMatchObject({ code: 0 });
    aws.now = () => new Date(end);
    expectRefused(await lsRemote(gitCredentials(short, { date: aws.now() })), 403, 'ExpiredTokenException');
  });

  it('are refused: the role is gone', async () => {
    aws.account().removeRole('VouchDeveloper');
    expectRefused(await lsRemote(gitCredentials(held)), 403, 'UnrecognizedClientException');
  });
});

describe('permissions', () => {
  const push = async () => {
    const work = join(home.path, `push-${randomBytes(4).toString('hex')}`);
    await git(aws, home.path, ['init', '-q', '-b', 'main', work]);
    await git(aws, home.path, ['commit', '-q', '--allow-empty', '-m', 'x'], { cwd: work });
    return git(aws, home.path, ['push', url, 'main:refs/heads/x', '--force'], {
      cwd: work,
      credentials: gitCredentials(held),
    });
  };

  it('to pull do not allow a push', async () => {
    permit({ Action: 'codecommit:GitPull' });
    expect(await lsRemote(gitCredentials(held))).toMatchObject({ code: 0 });
    expectRefused(await push(), 403, 'AccessDeniedException');
    expect(aws.log.at(-1)?.message).toBe(
      `User: arn:aws:sts::${accountId}:assumed-role/VouchDeveloper/alice@example.com is not authorized to perform: codecommit:GitPush on resource: arn:aws:codecommit:us-east-1:${accountId}:demo because no identity-based policy allows the codecommit:GitPush action`,
    );
  });

  it('to push do not allow a pull', async () => {
    permit({ Action: 'codecommit:GitPush' });
    expect(await push()).toMatchObject({ code: 0 });
    expectRefused(await lsRemote(gitCredentials(held)), 403, 'AccessDeniedException');
  });

  it('apply to the repositories and regions that they name, and a deny overrides them', async () => {
    permit({ Resource: `arn:aws:codecommit:us-west-2:${accountId}:*` });
    expectRefused(await lsRemote(gitCredentials(held)), 403, 'AccessDeniedException');
    permit({ Resource: `arn:aws:codecommit:us-east-1:${accountId}:demo2` });
    expectRefused(await lsRemote(gitCredentials(held)), 403, 'AccessDeniedException');
    permit({}, { Effect: 'Deny', Action: 'codecommit:GitPull' });
    expectRefused(await lsRemote(gitCredentials(held)), 403, 'AccessDeniedException');
    permit();
    expectRefused(await lsRemote(gitCredentials(held)), 403, 'AccessDeniedException');
    permit({ Resource: `arn:aws:codecommit:us-east-1:${accountId}:demo` });
    expect(await lsRemote(gitCredentials(held))).toMatchObject({ code: 0 });
  });

  it('can depend on the tags and the source identity of the session', async () => {
    const token = await issuer.token({
      'https://aws.amazon.com/tags': { principal_tags: { 'vouch:Domain': ['example.com'] } },
      'https://aws.amazon.com/source_identity': 'alice@example.com',
    });
    const assumed = await assume(aws, token);
    const tagged = readCredentials(assumed);
    const wanted = { 'aws:PrincipalTag/vouch:Domain': 'example.com', 'aws:SourceIdentity': 'alice@example.com' };
    permit({ Condition: { StringEquals: wanted } });
    expect(await lsRemote(gitCredentials(tagged))).toMatchObject({ code: 0 });
    expectRefused(await lsRemote(gitCredentials(held)), 403, 'AccessDeniedException');
  });
});

describe('a policy that is embedded later', () => {
  const deny = (Condition: Statement['Condition']): PolicyDocument => ({
    Version: '2012-10-17',
    Statement: { Effect: 'Deny', Action: '*', Resource: '*', ...(Condition && { Condition }) },
  });
  const put = (policy: PolicyDocument, name = 'Deny') => aws.account().putRolePolicy('VouchDeveloper', name, policy);

  it('applies to credentials that were issued before, until it is deleted', async () => {
    const signed = gitCredentials(held);
    expect(await lsRemote(signed)).toMatchObject({ code: 0 });
    put(deny(undefined));
    expectRefused(await lsRemote(signed), 403, 'AccessDeniedException');
    expect(aws.log.at(-1)?.message).toContain('with an explicit deny in an identity-based policy');
    aws.account().deleteRolePolicy('VouchDeveloper', 'Deny');
    expect(await lsRemote(signed)).toMatchObject({ code: 0 });
    expect(() => aws.account().deleteRolePolicy('VouchDeveloper', 'Deny')).toThrow(
      expect.objectContaining({ code: 'NoSuchEntity' }),
    );
  });

  it('can depend on when the credentials were issued', async () => {
    const at = new Date();
    aws.now = () => at;
    const before = await credentials(aws, issuer);
    aws.now = () => new Date(at.getTime() + 60_000);
    const after = await credentials(aws, issuer);
    put(deny({ DateLessThan: { 'aws:TokenIssueTime': new Date(at.getTime() + 30_000).toISOString() } }));
    expectRefused(await lsRemote(gitCredentials(before)), 403, 'AccessDeniedException');
    expect(await lsRemote(gitCredentials(after))).toMatchObject({ code: 0 });
  });

  it('must fit into a role: all of its inline policies have 10,240 characters at most', () => {
    const sized = (length: number): PolicyDocument => {
      const empty = { ...deny(undefined), Id: '' };
      return { ...empty, Id: 'x'.repeat(length - JSON.stringify(empty).length) };
    };
    const [own] = aws.account().role('VouchDeveloper')?.permissionPolicies ?? [];
    const left = 10_240 - JSON.stringify(own).length;
    put(sized(left - 1000), 'One');
    put(sized(1000), 'Two');
    expect(() => put(sized(1001), 'Two')).toThrow(expect.objectContaining({ code: 'LimitExceeded' }));
    expect(() => put(deny(undefined), 'Three')).toThrow(expect.objectContaining({ code: 'LimitExceeded' }));
    expect(() => put(deny(undefined), 'a name')).toThrow(expect.objectContaining({ code: 'ValidationError' }));
  });
});

describe('repositories', () => {
  const missing = 'RepositoryDoesNotExistException';
  const named = (name: string) =>
    [gitCredentials(held, { path: `/v1/repos/${name}` }), url.replace(/demo$/, name)] as const;

  it('that do not exist give 404 if the role may use them, and 403 otherwise', async () => {
    expectRefused(await lsRemote(...named('nothing')), 404, missing);
    permit({ Resource: '*:demo' });
    expectRefused(await lsRemote(...named('nothing')), 403, 'AccessDeniedException');
  });

  it('exist only in their own account and region', async () => {
    const other = aws.addAccount('210987654321');
    await aws.createRepository({ name: 'theirs', account: other.id });
    await aws.createRepository({ name: 'west', region: 'us-west-2' });
    expectRefused(await lsRemote(...named('theirs')), 404, missing);
    expectRefused(await lsRemote(...named('west')), 404, missing);
  });

  it.each(['..', 'a/b', '%2e%2e', 'a%2fb', 'a%00b', '%ff'])('are not found under the name %s', async (name) => {
    expect(await lsRemote(...named(name))).toMatchObject({ code: 128 });
  });

  it.each([
    ['a name and its suffix', 'demo.git', 'demo.git'],
    ['a space', 'my%20demo', 'my demo'],
    ['a plus sign', 'c+%2B', 'c++'],
    ['other letters', 'd%C3%A9mo%e2%82%ac', 'démo€'],
    ['a percent sign', '100%25', '100%'],
  ])('with an impossible name are not found, even with a valid signature: %s', async (_name, inUrl, name) => {
    const to = url.replace(/demo$/, inUrl);
    const signed = gitCredentials(held, { path: `/v1/repos/${name}` });
    expectRefused(await lsRemote(signed, to), 404, missing);
    expectRefused(await lsRemote(gitCredentials(held), to), 403, 'InvalidSignatureException');
  });

  it('are the same, however their URL is encoded', async () => {
    const to = url.replace(/demo$/, 'd%65m%6F');
    expect(await lsRemote(gitCredentials(held), to)).toMatchObject({ code: 0 });
  });

  it('with one name are separate in two accounts and in two regions', async () => {
    const other = aws.addAccount('310987654321');
    await aws.createRepository({ name: 'same', files: { README: 'one' } });
    await aws.createRepository({ name: 'same', region: 'eu-west-1', files: { README: 'two' } });
    await aws.createRepository({ name: 'same', account: other.id, files: { README: 'three' } });
    const heads = await Promise.all(
      ['us-east-1', 'eu-west-1'].map(async (region) => {
        const signed = gitCredentials(held, { host: hostOf(region), region, path: '/v1/repos/same' });
        const { stdout } = await lsRemote(signed, repositoryUrl(region, 'same'));
        return stdout.split('\t')[0];
      }),
    );
    expect(heads[0]).toMatch(/^[0-9a-f]{40}$/);
    expect(heads[1]).toMatch(/^[0-9a-f]{40}$/);
    expect(heads[0]).not.toBe(heads[1]);
  });

  it.each(['..', 'a/b', '', 'x'.repeat(101), 'demo.git'])('cannot be called %s', async (name) => {
    await expect(aws.createRepository({ name })).rejects.toThrow('repository name');
  });
});

/** One request over HTTPS, through the proxy. */
async function ask(method: string, path: string, headers: Record<string, string> = {}) {
  const { socket } = await tunnel(aws, `${host}:443`);
  const ca = await readFile(aws.caFile);
  return new Promise<{ status: number; challenge: string | undefined; body: string }>((done, failed) => {
    const createConnection = () => tlsConnect({ socket, servername: host, ca });
    httpsRequest({ method, path, host, headers: { host, ...headers }, createConnection }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      done({ status: response.statusCode ?? 0, challenge: response.headers['www-authenticate'], body });
      socket.destroy();
    })
      .on('error', failed)
      .end();
  });
}

describe('the endpoint', () => {
  const refs = '/v1/repos/demo/info/refs?service=git-upload-pack';
  const basic = ({ username, password }: { username: string; password: string }) => ({
    authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
  });

  it('challenges, and refuses in XML', async () => {
    expect(await ask('GET', refs)).toMatchObject({ status: 401, challenge: expect.stringMatching(/^Basic realm=/) });
    expect(await ask('GET', refs, { authorization: 'Bearer x' })).toMatchObject({ status: 401 });
    expect(await ask('GET', refs, { authorization: 'Basic x' })).toMatchObject({ status: 401 });
    expect(await ask('GET', refs, basic({ username: 'x', password: 'y' }))).toMatchObject({
      status: 403,
      challenge: undefined,
      body: expect.stringContaining('<UnrecognizedClientException>\n  <Message>The security token included'),
    });
    // curl sends this for a user name in the URL.
    expect(await ask('GET', refs, basic({ username: 'prod', password: '' }))).toMatchObject({
      status: 403,
      challenge: undefined,
    });
    expect(await ask('GET', refs, basic(gitCredentials(held)))).toMatchObject({ status: 200 });
  });

  it.each([
    ['GET', '/'],
    ['GET', '/v1/repos/demo'],
    ['GET', '/v1/repos/demo/HEAD'],
    ['GET', '/v1/repos/demo/objects/info/packs'],
    ['GET', '/v1/repos/demo/info/refs'],
    ['GET', '/v1/repos/demo/info/refs?service=git-upload-archive'],
    ['GET', '/v1/repos/demo/info/refs?service=git-upload-pack&service=git-receive-pack'],
    ['GET', '/v1/repos/../info/refs?service=git-upload-pack'],
    ['GET', '/v1/repos/demo/../demo/info/refs?service=git-upload-pack'],
    ['GET', '/v1/repos/demo%2f..%2fdemo/info/refs?service=git-upload-pack'],
    ['POST', refs],
    ['GET', '/v1/repos/demo/git-receive-pack'],
    ['POST', '/v1/repos/demo/git-upload-archive'],
  ])('has nothing for %s %s', async (method, path) => {
    expect(await ask(method, path, basic(gitCredentials(held)))).toMatchObject({ status: 404 });
  });

  it('serves no host but the one of its certificate', async () => {
    const west = 'git-codecommit.us-west-2.amazonaws.com';
    expect(await ask('GET', refs, { host: west, ...basic(gitCredentials(held)) })).toMatchObject({ status: 421 });
    expect(await ask('GET', refs, { host: 'localhost' })).toMatchObject({ status: 421 });
  });

  it.each(['example.com', `${host}.evil.example`, undefined])('has no certificate for %s', async (servername) => {
    const { socket } = await tunnel(aws, `${host}:443`);
    const failed = await new Promise((done) => {
      const options = { socket, rejectUnauthorized: false, ...(servername !== undefined && { servername }) };
      tlsConnect(options, () => done(undefined)).on('error', done);
    });
    expect(failed).toBeInstanceOf(Error);
    socket.destroy();
  });

  it('is not trusted without the test CA', async () => {
    const config = [`http.https://git-codecommit.*.amazonaws.com.sslCAInfo=/etc/ssl/certs/ca-certificates.crt`];
    const unknown = await git(aws, home.path, ['ls-remote', url], { credentials: gitCredentials(held), config });
    expect(unknown).toMatchObject({ code: 128, stderr: expect.stringMatching(/certificate/i) });
  });
});

describe('the proxy', () => {
  it.each([
    `${host}:80`,
    `${host}:22`,
    `${host}.evil.example:443`,
    `evil.${host}:443`,
    `x${host}:443`,
    'git-codecommit.amazonaws.com:443',
    'example.com:443',
    '127.0.0.1:443',
    'localhost:443',
  ])('leads to no %s', async (target) => {
    const { status, socket } = await tunnel(aws, target);
    socket.destroy();
    expect(status).toBe(403);
  });

  it('does nothing but CONNECT', async () => {
    expect((await fetch(aws.proxyUrl)).status).toBe(403);
  });

  it('lets Git reach no other host', async () => {
    const config = [`http.proxy=${aws.proxyUrl}`];
    const refused = await git(aws, home.path, ['ls-remote', 'https://example.com/x'], { config });
    expect(refused).toMatchObject({ code: 128, stderr: expect.stringContaining('403') });
  });
});

/** Begins a push and sends no more, so receive-pack waits. Resolves once the request is being served. */
async function unfinishedPush(local: LocalAws) {
  trustIssuer(local, issuer);
  await local.createRepository({ name: 'demo' });
  const { username, password } = gitCredentials(await credentials(local, issuer));
  const served = Promise.withResolvers<void>();
  local.intercept = () => {
    served.resolve();
    return undefined;
  };
  const { socket } = await tunnel(local, `${host}:443`);
  const tls = tlsConnect({ socket, servername: host, ca: await readFile(local.caFile) });
  tls.on('error', () => {});
  const command = `${'0'.repeat(40)} ${'1'.repeat(40)} refs/heads/main\0report-status`;
  tls.write(
    `POST /v1/repos/demo/git-receive-pack HTTP/1.1\r\nHost: ${host}\r\n` +
      `Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}\r\n` +
      `Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000\r\n\r\n` +
      `${(command.length + 4).toString(16).padStart(4, '0')}${command}0000PACK`,
  );
  await served.promise;
  return socket;
}

describe('in the middle of a push', () => {
  it('the processes end when the client hangs up', async () => {
    const before = aws.log.length;
    (await unfinishedPush(aws)).destroy();
    // The log entry comes when http-backend has ended.
    await vi.waitFor(
      () => expect(aws.log.slice(before)).toContainEqual(expect.objectContaining({ action: 'GitPush' })),
      {
        timeout: 20_000,
      },
    );
  });

  it('the local AWS can be closed, and closed again', async () => {
    const own = await temporaryFolder();
    const local = await startLocalAws({ folder: own.path });
    const socket = await unfinishedPush(local);
    await local.close();
    await local.close();
    socket.destroy();
    await expect(fetch(local.stsUrl)).rejects.toThrow();
    await own.remove();
  });
});
