import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accountId,
  assume,
  type Credentials,
  git,
  gitCredentials,
  type Issuer,
  readCredentials,
  startIssuer,
  temporaryFolder,
  trustIssuer,
} from './fixtures.ts';
import type { Statement } from './policy.ts';
import { type LocalAws, startLocalAws } from './start.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
let aws: LocalAws;
let issuer: Issuer;
let url: string;
let work: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  home = await temporaryFolder();
  aws = await startLocalAws({ folder: folder.path });
  ({ url } = await aws.createRepository({ name: 'demo' }));
  await aws.createRepository({ name: 'other' });
  work = join(home.path, 'work');
  await git(aws, home.path, ['init', '-q', '-b', 'main', work]);
  await writeFile(join(work, 'README'), 'hello\n');
  for (const args of [
    ['add', '.'],
    ['commit', '-qm', 'Say hello'],
    ['branch', 'base'],
    ['commit', '-q', '--allow-empty', '-m', 'Say it again'],
    ['branch', 'agent/one'],
    ['tag', 'v1'],
  ]) {
    await git(aws, home.path, args, { cwd: work });
  }
});
afterAll(async () => {
  await aws.close();
  await folder.remove();
  await home.remove();
});
beforeEach(async () => {
  issuer = await startIssuer();
  trustIssuer(aws, issuer);
  return () => issuer.close();
});

const policyOf = (...statements: Partial<Statement>[]) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((one) => ({ Effect: 'Allow', Action: 'codecommit:*', Resource: '*', ...one })),
  });

async function fenced(policy: string): Promise<Credentials> {
  return readCredentials(await assume(aws, await issuer.token(), { Policy: policy }));
}

const push = (credentials: Credentials, ...refs: string[]) =>
  git(aws, home.path, ['push', url, ...refs], { cwd: work, credentials: gitCredentials(credentials) });

const lsRemote = (credentials: Credentials, name: string) =>
  git(aws, home.path, ['ls-remote', url.replace(/demo$/, name)], {
    credentials: gitCredentials(credentials, { path: `/v1/repos/${name}` }),
  });

describe('a session policy', () => {
  it('allows only what the role’s own policies allow too', async () => {
    const resource = `arn:aws:codecommit:*:${accountId}:demo`;
    const held = await fenced(policyOf({ Action: 'codecommit:GitPull', Resource: resource }));
    expect(await lsRemote(held, 'demo')).toMatchObject({ code: 0 });
    expect((await lsRemote(held, 'other')).stderr).toContain('error: 403');
    expect(aws.log.at(-1)?.message).toContain('because no session policy allows the codecommit:GitPull action');
    expect((await push(held, 'main')).stderr).toContain('error: 403');
    // It gives nothing that the role has not.
    aws.account().setPolicies('VouchDeveloper', { permissionPolicies: [] });
    expect((await lsRemote(held, 'demo')).stderr).toContain('error: 403');
    expect(aws.log.at(-1)?.message).toContain('because no identity-based policy allows');
  });

  it('denies what the role’s own policies allow', async () => {
    const held = await fenced(policyOf({}, { Effect: 'Deny', Action: 'codecommit:GitPush' }));
    expect((await push(held, 'main')).stderr).toContain('error: 403');
    expect(aws.log.at(-1)?.message).toContain('with an explicit deny in a session policy');
  });

  it('limits which roles the session may assume, and that call may have one of its own', async () => {
    const Principal = { AWS: `arn:aws:iam::${accountId}:root` };
    const { arn } = aws.account().addRole({
      name: 'Next',
      trustPolicy: { Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal } },
      permissionPolicies: [{ Statement: { Effect: 'Allow', Action: 'codecommit:*', Resource: '*' } }],
    });
    const mayAssume: Statement = { Effect: 'Allow', Action: ['sts:AssumeRole', 'codecommit:*'], Resource: '*' };
    aws.account().setPolicies('VouchDeveloper', { permissionPolicies: [{ Statement: mayAssume }] });
    const next = (credentials: Credentials) =>
      new STSClient({ endpoint: aws.stsUrl, region: 'us-east-1', maxAttempts: 1, credentials }).send(
        new AssumeRoleCommand({
          RoleArn: arn,
          RoleSessionName: 'alice',
          Policy: policyOf({ Action: 'codecommit:GitPull' }),
        }),
      );
    await expect(next(await fenced(policyOf({})))).rejects.toMatchObject({ name: 'AccessDenied' });
    const { Credentials: found } = await next(await fenced(policyOf({ Action: '*' })));
    const held = {
      accessKeyId: found?.AccessKeyId ?? '',
      secretAccessKey: found?.SecretAccessKey ?? '',
      sessionToken: found?.SessionToken ?? '',
    };
    expect(await lsRemote(held, 'demo')).toMatchObject({ code: 0 });
    expect((await push(held, 'main')).stderr).toContain('error: 403');
  });

  it.each([
    ['too long', policyOf({ Sid: 'x'.repeat(2048) }), 'ValidationError'],
    ['empty', '', 'ValidationError'],
    ['with a character that it may not have', policyOf({ Sid: '→' }), 'ValidationError'],
    ['no JSON', '{', 'MalformedPolicyDocument'],
    ['without a resource', policyOf({ Resource: undefined as never }), 'MalformedPolicyDocument'],
    ['with a principal', policyOf({ Principal: '*' }), 'MalformedPolicyDocument'],
  ])('%s is refused', async (_, policy, code) => {
    expect(await assume(aws, await issuer.token(), { Policy: policy })).toMatchObject({ code });
  });

  it('is refused when it is too large together with the tags', async () => {
    const token = await issuer.token();
    const policy = policyOf({});
    aws.sessions.packedLimit = 60;
    const refused = await assume(aws, token, { Policy: policy });
    aws.sessions.packedLimit = 4096;
    expect(refused).toMatchObject({
      code: 'PackedPolicyTooLarge',
      message: expect.stringMatching(/\d{3}% of allotted/),
    });
    expect(await assume(aws, token, { Policy: policy })).toMatchObject({ status: 200 });
  });
});

describe('codecommit:References', () => {
  beforeAll(async () => {
    const first = await startIssuer();
    trustIssuer(aws, first);
    const held = readCredentials(await assume(aws, await first.token()));
    expect(await push(held, 'base:main')).toMatchObject({ code: 0 });
    await first.close();
  });

  const deny = (operator: string, key: string[], more = {}) =>
    policyOf(
      {},
      {
        Effect: 'Deny',
        Action: 'codecommit:GitPush',
        Condition: {
          [operator]: { 'codecommit:References': key },
          Null: { 'codecommit:References': 'false' },
          ...more,
        },
      },
    );

  it('is what a push changes, as in AWS’s example', async () => {
    const held = await fenced(deny('StringEqualsIfExists', ['refs/heads/main']));
    const refused = await push(held, 'agent/one:main');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('403');
    expect(aws.log.at(-1)).toMatchObject({ references: ['refs/heads/main'], outcome: 'AccessDeniedException' });
    expect(await push(held, 'agent/one')).toMatchObject({ code: 0 });
    expect(aws.log.at(-1)).toMatchObject({ references: ['refs/heads/agent/one'], outcome: 'OK' });
  });

  it.each([
    ['together with others', ['agent/one', 'main']],
    ['as a deletion', [':refs/heads/main']],
    ['as a tag', ['v1']],
    ['by force', ['+agent/one:main']],
  ])('counts for every reference of a push: %s', async (_, refs) => {
    for (const operator of ['StringNotLike', 'ForAnyValue:StringNotLike']) {
      const held = await fenced(deny(operator, ['refs/heads/agent/*']));
      expect((await push(held, ...refs)).code).not.toBe(0);
      expect(aws.log.at(-1)).toMatchObject({ outcome: 'AccessDeniedException' });
    }
  });

  it('is not there in Git’s first request, nor in the one that it tries a large push with', async () => {
    const name = 'codecommit:References';
    // A Deny without Null refuses already the first request; AWS's document says that Null is needed.
    const held = await fenced(deny('StringNotLike', ['refs/heads/agent/*'], { Null: { [name]: ['true', 'false'] } }));
    expect((await push(held, 'agent/one')).code).not.toBe(0);
    expect(aws.log.at(-1)?.references).toBeUndefined();
    const good = await fenced(deny('ForAnyValue:StringNotLike', ['refs/heads/agent/*']));
    const signed = { cwd: work, credentials: gitCredentials(good) };
    const pushed = await git(aws, home.path, ['push', url, 'main:agent/two'], {
      ...signed,
      config: ['http.postBuffer=1'],
    });
    expect(pushed).toMatchObject({ code: 0 });
  });
});
