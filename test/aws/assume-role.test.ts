import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accountId,
  assume,
  type Credentials,
  type Issuer,
  readCredentials,
  roleArn,
  startIssuer,
  temporaryFolder,
  trustIssuer,
} from './fixtures.ts';
import type { Statement } from './policy.ts';
import { type LocalAws, startLocalAws } from './start.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let aws: LocalAws;
let issuer: Issuer;

const other = '210987654321';
const targetArn = `arn:aws:iam::${accountId}:role/Target`;
const otherArn = `arn:aws:iam::${other}:role/Target`;
const session = `arn:aws:sts::${accountId}:assumed-role/VouchDeveloper/alice@example.com`;
const actions = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];

beforeAll(async () => {
  folder = await temporaryFolder();
  aws = await startLocalAws({ folder: folder.path, accounts: [accountId, other] });
});
afterAll(async () => {
  await aws.close();
  await folder.remove();
});
beforeEach(async () => {
  aws.now = () => new Date();
  issuer = await startIssuer();
  trustIssuer(aws, issuer);
  trusts({ Principal: { AWS: roleArn } });
  trusts({ Principal: { AWS: roleArn } }, other);
  return () => issuer.close();
});

/** Gives the target role a trust policy with only this statement. */
function trusts(statement: Partial<Statement>, account = accountId): void {
  aws.account(account).addRole({
    name: 'Target',
    maxSessionDuration: 43_200,
    trustPolicy: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: actions, ...statement } },
  });
}

/** Gives the caller's role only these permissions. */
const permits = (...statements: Partial<Statement>[]) =>
  aws.account().setPolicies('VouchDeveloper', {
    permissionPolicies: [
      {
        Version: '2012-10-17',
        Statement: statements.map((statement) => ({ Effect: 'Allow', Action: actions, Resource: '*', ...statement })),
      },
    ],
  });

/** A session of VouchDeveloper, from a token with these additional claims. */
const caller = async (claims: Record<string, unknown> = {}): Promise<Credentials> =>
  readCredentials(await assume(aws, await issuer.token(claims)));

const tags = {
  'https://aws.amazon.com/tags': {
    principal_tags: { 'vouch:Email': ['alice@example.com'], team: ['blue'] },
    transitive_tag_keys: ['vouch:email'],
  },
};
const source = { 'https://aws.amazon.com/source_identity': 'alice@example.com' };

const client = (credentials: Credentials, region = 'us-east-1') =>
  new STSClient({ endpoint: aws.stsUrl, region, maxAttempts: 1, credentials });

async function chain(credentials: Credentials, input: Partial<AssumeRoleCommandInput> = {}, region = 'us-east-1') {
  const command = new AssumeRoleCommand({ RoleArn: targetArn, RoleSessionName: 'alice', ...input });
  const answer = await client(credentials, region).send(command);
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {};
  return {
    ...answer,
    held: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
  };
}

const denied = (action: string, arn = targetArn) => ({
  name: 'AccessDenied',
  message: `User: ${session} is not authorized to perform: ${action} on resource: ${arn}`,
  $metadata: expect.objectContaining({ httpStatusCode: 403 }),
});

describe('a chained role', () => {
  it('gives its own credentials for an hour, and the log names the caller', async () => {
    const { held, ...answer } = await chain(await caller());
    expect(answer.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${accountId}:assumed-role/Target/alice`);
    expect(answer.SourceIdentity).toBeUndefined();
    const lasts = (answer.Credentials?.Expiration?.getTime() ?? 0) - Date.now();
    expect(lasts).toBeGreaterThan(3_590_000);
    expect(lasts).toBeLessThanOrEqual(3_600_000);
    expect(await client(held).send(new GetCallerIdentityCommand({}))).toMatchObject({
      Arn: answer.AssumedRoleUser?.Arn,
    });
    expect(aws.log.at(-2)).toMatchObject({
      action: 'AssumeRole',
      outcome: 'OK',
      role: targetArn,
      session: 'alice',
      caller: session,
      region: 'us-east-1',
    });
  });

  it('lasts an hour at most, whatever the role allows', async () => {
    const held = await caller();
    expect((await chain(held, { DurationSeconds: 3600 })).held.accessKeyId).toMatch(/^ASIA/);
    await expect(chain(held, { DurationSeconds: 3601 })).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    });
    await expect(chain(held, { DurationSeconds: 899 })).rejects.toMatchObject({ name: 'ValidationError' });
  });

  it('leads on to a third one', async () => {
    aws.account(other).addRole({
      name: 'Third',
      trustPolicy: { Statement: { Effect: 'Allow', Action: actions, Principal: { AWS: targetArn } } },
    });
    const { held } = await chain(await caller());
    const RoleArn = `arn:aws:iam::${other}:role/Third`;
    await expect(chain(held, { RoleArn })).rejects.toMatchObject({ name: 'AccessDenied' });
    aws.account().setPolicies('Target', {
      permissionPolicies: [{ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: RoleArn } }],
    });
    expect((await chain(held, { RoleArn })).AssumedRoleUser?.Arn).toContain(`${other}:assumed-role/Third`);
  });
});

describe('a role may be assumed', () => {
  it.each<[string, Statement['Principal'], boolean]>([
    ['the role', { AWS: roleArn }, true],
    ['the session', { AWS: session }, true],
    ['anybody', { AWS: '*' }, true],
    ['anybody, in short', '*', true],
    ['one of several', { AWS: ['arn:aws:iam::999999999999:root', roleArn] }, true],
    ['the account, whose policies say nothing', { AWS: `arn:aws:iam::${accountId}:root` }, false],
    ['another session', { AWS: session.replace('alice', 'bob') }, false],
    ['another role', { AWS: `${roleArn}2` }, false],
    ['another account', { AWS: `arn:aws:iam::${other}:root` }, false],
    ['an identity provider', { Federated: roleArn }, false],
  ])('in one account, if the trust policy allows it; it names %s', async (_name, Principal, allowed) => {
    trusts({ Principal });
    const asked = chain(await caller());
    if (allowed) expect((await asked).held.accessKeyId).toMatch(/^ASIA/);
    else await expect(asked).rejects.toMatchObject(denied('sts:AssumeRole'));
  });

  it.each([accountId, `arn:aws:iam::${accountId}:root`])(
    "in one account, if the trust policy names the account (%s) and the caller's policies allow it",
    async (AWS) => {
      trusts({ Principal: { AWS } });
      permits({ Resource: `${targetArn}2` });
      await expect(chain(await caller())).rejects.toMatchObject(denied('sts:AssumeRole'));
      permits({ Resource: targetArn });
      expect((await chain(await caller())).held.accessKeyId).toMatch(/^ASIA/);
    },
  );

  it("across accounts, if the trust policy and the caller's policies allow it", async () => {
    const input = { RoleArn: otherArn };
    await expect(chain(await caller(), input)).rejects.toMatchObject(denied('sts:AssumeRole', otherArn));
    permits({ Resource: otherArn });
    expect((await chain(await caller(), input)).AssumedRoleUser?.Arn).toBe(
      `arn:aws:sts::${other}:assumed-role/Target/alice`,
    );
    trusts({ Principal: { AWS: `arn:aws:iam::${other}:root` } }, other);
    await expect(chain(await caller(), input)).rejects.toMatchObject(denied('sts:AssumeRole', otherArn));
  });

  it('never, if a deny on either side names the caller', async () => {
    permits({ Effect: 'Deny' });
    await expect(chain(await caller())).rejects.toMatchObject(denied('sts:AssumeRole'));
    permits({});
    const allow = { Effect: 'Allow' as const, Action: actions, Principal: { AWS: roleArn } };
    const deny = { ...allow, Effect: 'Deny' as const, Principal: { AWS: `arn:aws:iam::${accountId}:root` } };
    aws.account().setPolicies('Target', { trustPolicy: { Statement: [allow, deny] } });
    await expect(chain(await caller())).rejects.toMatchObject(denied('sts:AssumeRole'));
  });

  it('never, if a policy that was embedded later denies it to these credentials', async () => {
    permits({});
    const alice = await caller(source);
    const bob = await caller({ sub: 'bob@example.com', 'https://aws.amazon.com/source_identity': 'bob@example.com' });
    aws.account().putRolePolicy('VouchDeveloper', 'Deny', {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { StringEquals: { 'aws:SourceIdentity': 'alice@example.com' } },
      },
    });
    await expect(chain(alice)).rejects.toMatchObject(denied('sts:AssumeRole'));
    expect((await chain(bob)).held.accessKeyId).toMatch(/^ASIA/);
  });

  it('never, if it does not exist or is in another partition', async () => {
    const held = await caller();
    for (const RoleArn of [`${targetArn}2`, targetArn.replace('aws', 'aws-cn'), 'arn:aws:iam::999999999999:role/x']) {
      await expect(chain(held, { RoleArn })).rejects.toMatchObject(denied('sts:AssumeRole', RoleArn));
    }
    await expect(chain(held, { RoleArn: `arn:aws:iam::${accountId}:user/alice` })).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Request ARN is invalid',
    });
  });

  it("never, if the request is signed for another partition's region, or not at all", async () => {
    await expect(chain(await caller(), {}, 'cn-north-1')).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
      message: 'The security token included in the request is invalid.',
    });
    const held = await caller();
    await expect(chain({ ...held, secretAccessKey: 'x' })).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    const body = new URLSearchParams({ Action: 'AssumeRole', Version: '2011-06-15', RoleArn: targetArn });
    const unsigned = await fetch(aws.stsUrl, { method: 'POST', body });
    expect(unsigned.status).toBe(403);
    expect(await unsigned.text()).toContain('<Code>MissingAuthenticationToken</Code>');
  });
});

describe('a chained session', () => {
  it('inherits the transitive tags, and no others', async () => {
    const { held } = await chain(await caller(tags));
    // A third role's conditions see the tags of the chained session.
    const next = (condition: Record<string, string>) => {
      const Condition = { StringEquals: condition };
      const statement = { Effect: 'Allow' as const, Action: actions, Principal: { AWS: targetArn }, Condition };
      const { arn } = aws.account().addRole({ name: 'Next', trustPolicy: { Statement: statement } });
      return chain(held, { RoleArn: arn });
    };
    expect((await next({ 'aws:PrincipalTag/vouch:Email': 'alice@example.com' })).held.accessKeyId).toMatch(/^ASIA/);
    await expect(next({ 'aws:PrincipalTag/team': 'blue' })).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it("with tags needs sts:TagSession in the trust policy, and across accounts in the caller's policies too", async () => {
    trusts({ Principal: { AWS: roleArn }, Action: 'sts:AssumeRole' });
    expect((await chain(await caller())).held.accessKeyId).toMatch(/^ASIA/);
    await expect(chain(await caller(tags))).rejects.toMatchObject(denied('sts:TagSession'));
    permits({ Action: 'sts:AssumeRole' });
    await expect(chain(await caller(tags), { RoleArn: otherArn })).rejects.toMatchObject(
      denied('sts:TagSession', otherArn),
    );
    permits({});
    expect((await chain(await caller(tags), { RoleArn: otherArn })).held.accessKeyId).toMatch(/^ASIA/);
  });

  it('inherits the source identity, which needs sts:SetSourceIdentity on both sides', async () => {
    const held = await caller(source);
    await expect(chain(held)).rejects.toMatchObject(denied('sts:SetSourceIdentity'));
    permits({});
    const chained = await chain(held);
    expect(chained.SourceIdentity).toBe('alice@example.com');
    trusts({ Principal: { AWS: roleArn }, Action: ['sts:AssumeRole', 'sts:TagSession'] });
    await expect(chain(held)).rejects.toMatchObject(denied('sts:SetSourceIdentity'));
  });

  it('can change neither the source identity nor the value of an inherited tag', async () => {
    permits({});
    const held = await caller({ ...tags, ...source });
    expect((await chain(held, { SourceIdentity: 'alice@example.com' })).SourceIdentity).toBe('alice@example.com');
    await expect(chain(held, { SourceIdentity: 'mallory' })).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'The source identity is already set for this assume role session',
    });
    const Tags = [{ Key: 'VOUCH:email', Value: 'mallory@example.com' }];
    await expect(chain(held, { Tags })).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: expect.stringMatching(/conflicts with a transitive tag key from the calling session/),
    });
    // A tag that was not inherited may be set again.
    expect((await chain(held, { Tags: [{ Key: 'team', Value: 'red' }] })).held.accessKeyId).toMatch(/^ASIA/);
  });
});

describe('conditions', () => {
  it.each<[string, Record<string, string>, Partial<AssumeRoleCommandInput>]>([
    ['the external id', { 'sts:ExternalId': 'Example987' }, { ExternalId: 'Example987' }],
    ["the session's name", { 'sts:RoleSessionName': 'alice@example.com' }, { RoleSessionName: 'alice@example.com' }],
    ['a tag of the request', { 'aws:RequestTag/team': 'red' }, { Tags: [{ Key: 'team', Value: 'red' }] }],
    ['a source identity of the request', { 'sts:SourceIdentity': 'alice' }, { SourceIdentity: 'alice' }],
    [
      'a transitive key of the request',
      { 'sts:TransitiveTagKeys': 'team' },
      { Tags: [{ Key: 'team', Value: 'red' }], TransitiveTagKeys: ['team'] },
    ],
  ])('can ask for %s', async (_name, StringEquals, input) => {
    permits({});
    trusts({ Principal: { AWS: roleArn }, Condition: { StringEquals } });
    await expect(chain(await caller())).rejects.toMatchObject(denied('sts:AssumeRole'));
    expect((await chain(await caller(), input)).held.accessKeyId).toMatch(/^ASIA/);
  });

  it.each<[string, Record<string, string>, object]>([
    ["the caller's tag", { 'aws:PrincipalTag/team': 'blue' }, tags],
    ["the caller's source identity", { 'aws:SourceIdentity': 'alice@example.com' }, source],
  ])('can ask for %s', async (_name, StringEquals, claims) => {
    permits({});
    trusts({ Principal: { AWS: roleArn }, Condition: { StringEquals } });
    await expect(chain(await caller())).rejects.toMatchObject(denied('sts:AssumeRole'));
    expect((await chain(await caller({ ...claims }))).held.accessKeyId).toMatch(/^ASIA/);
  });
});

describe('parameters', () => {
  const tag = (Key: string, Value = 'x') => ({ Key, Value });
  it.each<[string, Partial<AssumeRoleCommandInput>, string, RegExp]>([
    ['a session name of one', { RoleSessionName: 'a' }, 'ValidationError', /roleSessionName.*2$/],
    ['an external id with a space', { ExternalId: 'a b' }, 'ValidationError', /externalId/],
    ['an external id of one', { ExternalId: 'a' }, 'ValidationError', /externalId/],
    ['a source identity of one', { SourceIdentity: 'a' }, 'ValidationError', /sourceIdentity/],
    ['a tag of 257', { Tags: [tag('a', 'x'.repeat(257))] }, 'ValidationError', /tags\.member\.1\.Value.*256$/],
    ['a key of 129', { Tags: [tag('k'.repeat(129))] }, 'ValidationError', /128$/],
    ['a forbidden character', { Tags: [tag('<')] }, 'ValidationError', /pattern/],
    ['51 tags', { Tags: Array.from({ length: 51 }, (_, i) => tag(`k${i}`)) }, 'ValidationError', /tags.*50$/],
    ['a tag twice', { Tags: [tag('a'), tag('A')] }, 'InvalidParameterValue', /Duplicate/],
    ['a tag that is reserved for AWS', { Tags: [tag('aws:x')] }, 'InvalidParameterValue', /aws:/],
    ['a transitive key of no tag', { TransitiveTagKeys: ['a'] }, 'InvalidParameterValue', /transitive/],
    ['an MFA device, which is not offered', { SerialNumber: 'arn:aws:iam::1:mfa/x' }, 'NotImplemented', /Serial/],
  ])('are refused: %s', async (_name, input, name, message) => {
    await expect(chain(await caller(), input)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });
});

it('IAM stores no policy with an ARN of another partition', () => {
  const trustPolicy = { Statement: { Effect: 'Allow' as const, Action: actions, Principal: { AWS: roleArn } } };
  const china = aws.addAccount('999999999999', 'aws-cn');
  expect(() => china.addRole({ name: 'x', trustPolicy })).toThrow(/Invalid principal/);
  expect(() => permits({ Resource: 'arn:aws-cn:codecommit:*:*:*' })).toThrow(
    'Partition "aws-cn" is not valid for resource "arn:aws-cn:codecommit:*:*:*".',
  );
  expect(() => permits({ Resource: 'arn:*:codecommit:*:*:*' })).not.toThrow();
});
