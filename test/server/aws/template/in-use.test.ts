import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { accountId, assume, type Issuer, roleArn, type StsAnswer, startIssuer } from '../../../aws/fixtures.ts';
import { ContextKeys, evaluate, type PolicyDocument, type Statement } from '../../../aws/policy.ts';
import { type LocalAws, startLocalAws } from '../../../aws/start.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { vouchServer } from '../../program.ts';
import { fromCli, fromCloudFormation, fromTerraform, type Printed } from './readers.ts';

/** An audience that AWS's provider accepts, but the role does not. */
const OTHER_AUDIENCE = 'https://other.example';
const DEMO = `arn:aws:codecommit:us-east-1:${accountId}:demo`;

const folder = temporaryFolder();
let aws: LocalAws;
let issuer: Issuer;
let url: string;

beforeAll(async () => {
  aws = await startLocalAws({ folder });
  issuer = await startIssuer();
  // With http the server accepts only this host name.
  url = issuer.url.replace('127.0.0.1', 'localhost');
  issuer.discovery = { ...issuer.discovery, issuer: url, jwks_uri: `${url}/jwks` };
});
afterAll(async () => {
  await issuer.close();
  await aws.close();
});

const printTemplate = async (
  format: string,
  settings: Record<string, string> = {},
  more: string[] = [],
): Promise<string> => {
  const args = ['aws-template', '--format', format, '--account', accountId, '--repository', DEMO];
  const domains = ['--domain', 'example.com', '--domain', 'example.org'];
  const { code, stdout, stderr } = await vouchServer([...args, ...domains, ...more], {
    VOUCH_ISSUER: url,
    ...settings,
  });
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^vouch-server: AWS cannot reach/)]);
  return stdout;
};

function create({ provider, roleName, maxSessionDuration, trustPolicy, permissionPolicy }: Printed): void {
  const { clientIds = [], url = '' } = provider ?? {};
  aws.account().addProvider({ url, clientIds: [...clientIds, OTHER_AUDIENCE] });
  aws.account().addRole({ name: roleName, maxSessionDuration, trustPolicy, permissionPolicies: [permissionPolicy] });
}

/** The caller of STS: changes to the token of alice@example.com, the session name, and for how many seconds it asks. */
interface Caller {
  claims?: Record<string, unknown>;
  session?: string;
  DurationSeconds?: string;
}

/** Asks STS for credentials as the agent does, with a token like the server's. */
async function assumeAs({ claims = {}, session, ...more }: Caller = {}): Promise<StsAnswer> {
  const sub = String(claims.sub ?? 'alice@example.com');
  const token = await issuer.token({
    iss: url,
    aud: url,
    sub,
    'https://aws.amazon.com/roles': [roleArn],
    'https://aws.amazon.com/tags': {
      principal_tags: { 'vouch:Email': [sub] },
      transitive_tag_keys: ['vouch:Email'],
    },
    'https://aws.amazon.com/source_identity': sub,
    ...claims,
  });
  return assume(aws, token, { RoleSessionName: session ?? sub, ...more });
}

const statement = (document: PolicyDocument) => (document.Statement as Statement[])[0] as Statement;

/** The callers that are refused, and for each the one condition that refuses it. */
const keptOut: [string, Caller, [operator: string, key: (host: string) => string]][] = [
  ['a token for another audience', { claims: { aud: OTHER_AUDIENCE } }, ['StringEquals', (host) => `${host}:aud`]],
  ...[
    'alice@example.com.evil.org',
    'alice@notexample.com',
    'alice@sub.example.com',
    'alice@example.net',
    'alice@example.com@evil.org',
    'alice.example.com',
    'alice@exampleXcom',
    'alice@EXAMPLE.COM',
  ].map((sub): (typeof keptOut)[number] => [sub, { claims: { sub } }, ['StringLike', (host) => `${host}:sub`]]),
  ["another person's session name", { session: 'bob@example.com' }, ['StringEquals', () => 'sts:RoleSessionName']],
  ['a self-chosen session name', { session: 'alice' }, ['StringEquals', () => 'sts:RoleSessionName']],
  [
    'a token that names no role',
    { claims: { 'https://aws.amazon.com/roles': undefined } },
    ['Bool', () => 'sts:RoleAuthorizedByIdp'],
  ],
];

describe.each([
  ['cloudformation', fromCloudFormation],
  ['terraform', fromTerraform],
  ['cli', (text: string) => fromCli(text, folder)],
] as const)('%s', (format, read) => {
  let documents: Printed;
  beforeAll(async () => {
    documents = read(await printTemplate(format));
  });
  beforeEach(() => create(structuredClone(documents)));

  test.each(['alice@example.com', 'b+c.d_e-f=g@example.org'])('lets %s in', async (sub) => {
    expect(await assumeAs({ claims: { sub } })).toMatchObject({ status: 200, code: undefined });
  });

  test.each(keptOut)('keeps out %s by the condition that is there for it', async (_name, caller, [operator, key]) => {
    expect(await assumeAs(caller)).toMatchObject({
      status: 403,
      code: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    });
    // Without the condition they get in, so nothing else kept them out.
    const weaker = structuredClone(documents);
    delete statement(weaker.trustPolicy).Condition?.[operator]?.[key(new URL(url).host)];
    create(weaker);
    expect(await assumeAs(caller)).toMatchObject({ status: 200 });
  });

  test('keeps out a key with a lower level than the required one, or with none, by the condition on it', async () => {
    const strict = read(await printTemplate(format, {}, ['--require-key-level', 'L2']));
    create(structuredClone(strict));
    const withLevel = (level?: string): Caller => {
      const tags = {
        'vouch:Email': ['alice@example.com'],
        ...(level === undefined ? {} : { 'vouch:KeyLevel': [level] }),
      };
      return {
        claims: { 'https://aws.amazon.com/tags': { principal_tags: tags, transitive_tag_keys: Object.keys(tags) } },
      };
    };
    for (const level of ['L2', 'L2plus', 'L3', 'L3plus']) {
      expect(await assumeAs(withLevel(level))).toMatchObject({ status: 200 });
    }
    for (const level of ['L1', 'L1plus', 'l2', 'L', 'L22', '', undefined]) {
      expect(await assumeAs(withLevel(level))).toMatchObject({ status: 403, code: 'AccessDenied' });
    }
    delete statement(strict.trustPolicy).Condition?.StringEquals?.['aws:RequestTag/vouch:KeyLevel'];
    create(strict);
    expect(await assumeAs(withLevel())).toMatchObject({ status: 200 });
  });

  test('keeps out a token that names another role: STS itself sees to that', async () => {
    const claims = { 'https://aws.amazon.com/roles': [`${roleArn}2`] };
    expect(await assumeAs({ claims })).toMatchObject({ status: 400, code: 'InvalidIdentityToken' });
  });

  test.each(['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'])(
    'needs %s',
    async (action) => {
      const weaker = structuredClone(documents);
      const trusting = statement(weaker.trustPolicy);
      trusting.Action = (trusting.Action as string[]).filter((named) => named !== action);
      expect(trusting.Action).toHaveLength(2);
      create(weaker);
      expect(await assumeAs()).toMatchObject({
        code: 'AccessDenied',
        message: `Not authorized to perform ${action}`,
      });
    },
  );

  test('permits pull and push of the named repository, and nothing else', () => {
    const decide = (action: string, resource: string) =>
      evaluate([documents.permissionPolicy], { action, resource, context: new ContextKeys() });
    expect(decide('codecommit:GitPull', DEMO)).toBe('Allow');
    expect(decide('codecommit:GitPush', DEMO)).toBe('Allow');
    expect(decide('codecommit:GitPush', `${DEMO}2`)).toBe('ImplicitDeny');
    expect(decide('codecommit:GitPush', DEMO.replace('us-east-1', 'us-east-2'))).toBe('ImplicitDeny');
    expect(decide('codecommit:DeleteRepository', DEMO)).toBe('ImplicitDeny');
    expect(decide('sts:AssumeRole', roleArn)).toBe('ImplicitDeny');
  });

  test('gives credentials for as long as the server lets people ask, and no longer', async () => {
    create(read(await printTemplate(format, { VOUCH_AWS_SESSION_MINUTES: '90' })));
    expect(await assumeAs({ DurationSeconds: '5400' })).toMatchObject({ status: 200 });
    expect(await assumeAs({ DurationSeconds: '5401' })).toMatchObject({
      code: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    });
  });

  test('takes an audience literally, even if it looks like a policy variable', async () => {
    const audience = `\${sts:RoleSessionName}%{'"\\`;
    create(read(await printTemplate(format, { VOUCH_AWS_AUDIENCE: audience })));
    expect(await assumeAs({ claims: { aud: audience } })).toMatchObject({ status: 200 });
    expect(await assumeAs({ claims: { aud: OTHER_AUDIENCE } })).toMatchObject({ code: 'AccessDenied' });
  });
});
