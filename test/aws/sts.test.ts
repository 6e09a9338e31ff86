import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accountId,
  allActions,
  answer,
  assume,
  type Credentials,
  credentials,
  type Issuer,
  roleArn,
  startIssuer,
  sts,
  temporaryFolder,
  trust,
  trustIssuer,
} from './fixtures.ts';
import type { Statement } from './policy.ts';
import { type LocalAws, startLocalAws } from './start.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let aws: LocalAws;
let issuer: Issuer;

beforeAll(async () => {
  folder = await temporaryFolder();
  aws = await startLocalAws({ folder: folder.path });
});
afterAll(async () => {
  await aws.close();
  await folder.remove();
});
beforeEach(async () => {
  aws.now = () => new Date();
  issuer = await startIssuer();
  trustIssuer(aws, issuer);
  return () => issuer.close();
});

const seconds = () => Math.floor(Date.now() / 1000);
const rolesClaim = 'https://aws.amazon.com/roles';
const tagsClaim = 'https://aws.amazon.com/tags';
const sourceClaim = 'https://aws.amazon.com/source_identity';
const tags = { principal_tags: { 'vouch:Email': ['alice@example.com'] }, transitive_tag_keys: ['vouch:Email'] };

/** Gives the role a trust policy with only this statement for the issuer. */
const trustOn = (more: Partial<Statement>) =>
  aws
    .account()
    .setPolicies('VouchDeveloper', { trustPolicy: { Version: '2012-10-17', Statement: trust(issuer, more) } });

const client = (credentials?: Credentials) =>
  new STSClient({ endpoint: aws.stsUrl, region: 'us-east-1', maxAttempts: 1, ...(credentials && { credentials }) });

describe("through AWS's own SDK", () => {
  it('gives credentials for a token, and returns their holder', async () => {
    const token = await issuer.token({
      [rolesClaim]: [roleArn],
      [tagsClaim]: tags,
      [sourceClaim]: 'alice@example.com',
    });
    const assumed = await client().send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn,
        RoleSessionName: 'alice@example.com',
        WebIdentityToken: token,
        DurationSeconds: 900,
      }),
    );
    expect(assumed).toMatchObject({
      AssumedRoleUser: {
        Arn: `arn:aws:sts::${accountId}:assumed-role/VouchDeveloper/alice@example.com`,
        AssumedRoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}:alice@example\.com$/),
      },
      Audience: issuer.url,
      Provider: `arn:aws:iam::${accountId}:oidc-provider/${issuer.url.slice(7)}`,
      SourceIdentity: 'alice@example.com',
      SubjectFromWebIdentityToken: 'alice@example.com',
      Credentials: {
        AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
        SecretAccessKey: expect.stringMatching(/^.{40}$/),
        SessionToken: expect.stringMatching(/^[A-Za-z0-9+/=]{400,}$/),
      },
    });
    expect((assumed.Credentials?.Expiration?.getTime() ?? 0) / 1000 - seconds()).toBeGreaterThan(890);

    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = assumed.Credentials ?? {};
    const held = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    expect(await client(held).send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: accountId,
      Arn: assumed.AssumedRoleUser?.Arn,
      UserId: assumed.AssumedRoleUser?.AssumedRoleId,
    });
    expect(aws.log.slice(-2)).toMatchObject([
      {
        service: 'sts',
        action: 'AssumeRoleWithWebIdentity',
        outcome: 'OK',
        role: roleArn,
        session: 'alice@example.com',
      },
      { service: 'sts', action: 'GetCallerIdentity', outcome: 'OK', role: roleArn },
    ]);
    expect(JSON.stringify(aws.log)).not.toContain(SessionToken.slice(20, 60));
    expect(JSON.stringify(aws.log)).not.toContain(token.slice(-40));
  });

  it("names refusals as AWS's exceptions", async () => {
    const token = await issuer.token({ exp: seconds() - 301 });
    const input = { RoleArn: roleArn, RoleSessionName: 'alice', WebIdentityToken: token };
    await expect(client().send(new AssumeRoleWithWebIdentityCommand(input))).rejects.toMatchObject({
      name: 'ExpiredTokenException',
      $metadata: { httpStatusCode: 400 },
    });
  });
});

describe('a token', () => {
  const invalid = 'InvalidIdentityToken';
  type Case = [name: string, claims: () => Record<string, unknown>, code: string, message: string | RegExp];
  it.each<Case>([
    [
      'of an unknown issuer',
      () => ({ iss: 'https://evil.example' }),
      invalid,
      'No OpenIDConnect provider found in your account for https://evil.example',
    ],
    [
      'of an issuer of another scheme',
      () => ({ iss: issuer.url.replace('http', 'https') }),
      invalid,
      /^No OpenIDConnect provider found/,
    ],
    ['of an issuer that is longer', () => ({ iss: `${issuer.url}/x` }), invalid, /^No OpenIDConnect provider found/],
    ['of an issuer that is not https', () => ({ iss: 'http://auth.example.com' }), invalid, /https/],
    ['without an issuer', () => ({ iss: undefined }), invalid, 'Missing a required claim: iss'],
    [
      'that is over',
      () => ({ exp: seconds() - 300 }),
      'ExpiredTokenException',
      /^Token expired: current date\/time \d+ must be before the expiration date\/time \d+$/,
    ],
    ['without an end', () => ({ exp: undefined }), invalid, 'Missing a required claim: exp'],
    ['with an end that is text', () => ({ exp: String(seconds() + 300) }), invalid, /integer/],
    ['without a beginning', () => ({ iat: undefined }), invalid, 'Missing a required claim: iat'],
    ['from the future', () => ({ iat: seconds() + 360, exp: seconds() + 660 }), invalid, /future/],
    ['that is not valid yet', () => ({ nbf: seconds() + 360 }), invalid, /not valid yet/],
    [
      'of the day before yesterday',
      () => ({ iat: seconds() - 90_000 }),
      'ExpiredTokenException',
      /^Token too old: \d+$/,
    ],
    ['without a subject', () => ({ sub: undefined }), invalid, 'Missing a required claim: sub'],
    ['with a subject of 256', () => ({ sub: 'a'.repeat(256) }), invalid, /255/],
    ['for another audience', () => ({ aud: 'https://other.example' }), invalid, 'Incorrect token audience'],
    ['without an audience', () => ({ aud: undefined }), invalid, 'Missing a required claim: aud'],
    ['with an azp, which counts for the audience', () => ({ azp: 'vouch-cli' }), invalid, 'Incorrect token audience'],
    ['pinned to another role', () => ({ [rolesClaim]: [`${roleArn}2`] }), invalid, /list of roles/],
    ['pinned to no role', () => ({ [rolesClaim]: [] }), invalid, /list of roles/],
    ['with roles that are not a list', () => ({ [rolesClaim]: roleArn }), invalid, /not a list/],
    ['with tags that are not an object', () => ({ [tagsClaim]: [] }), invalid, /session tags/],
    ['with a tag of two values', () => ({ [tagsClaim]: { principal_tags: { a: ['b', 'c'] } } }), invalid, /"a"/],
    ['with a tag that is not a list', () => ({ [tagsClaim]: { principal_tags: { a: 'b' } } }), invalid, /"a"/],
    [
      'with a tag of a long value',
      () => ({ [tagsClaim]: { principal_tags: { a: ['b'.repeat(257)] } } }),
      invalid,
      /256/,
    ],
    [
      'with a tag of a forbidden character',
      () => ({ [tagsClaim]: { principal_tags: { a: ['<b>'] } } }),
      invalid,
      /"a"/,
    ],
    [
      'with a tag of a long key',
      () => ({ [tagsClaim]: { principal_tags: { ['k'.repeat(129)]: ['b'] } } }),
      invalid,
      /key/,
    ],
    [
      'with a tag that is reserved for AWS',
      () => ({ [tagsClaim]: { principal_tags: { 'aws:x': ['b'] } } }),
      invalid,
      /aws:x/,
    ],
    ['with a tag twice', () => ({ [tagsClaim]: { principal_tags: { a: ['b'], A: ['c'] } } }), invalid, /twice/],
    [
      'with 51 tags',
      () => ({
        [tagsClaim]: { principal_tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ['v']])) },
      }),
      invalid,
      /50/,
    ],
    [
      'with a transitive key of no tag',
      () => ({ [tagsClaim]: { ...tags, transitive_tag_keys: ['b'] } }),
      invalid,
      /transitive/,
    ],
    ['with a source identity of one character', () => ({ [sourceClaim]: 'a' }), invalid, /source identity/],
    ['with a source identity with a space', () => ({ [sourceClaim]: 'al ice' }), invalid, /source identity/],
  ])('is refused: %s', async (_name, claims, code, message) => {
    const refused = await assume(aws, await issuer.token(claims()));
    expect(refused).toMatchObject({ status: 400, code });
    expect(refused.message).toMatch(message);
    expect(aws.log.at(-1)).toMatchObject({ action: 'AssumeRoleWithWebIdentity', outcome: code });
  });

  it('is refused: signed by a key that is not published', async () => {
    await issuer.rotate('hidden', false);
    expect(await assume(aws, await issuer.token())).toMatchObject({
      code: invalid,
      message: expect.stringMatching(/verification key/),
    });
  });

  it('is refused: signed by another key under a published name', async () => {
    const good = await issuer.token();
    await issuer.rotate('first', false);
    expect(await assume(aws, await issuer.token())).toMatchObject({
      code: invalid,
      message: expect.stringMatching(/signature/),
    });
    expect((await assume(aws, good)).code).toBeUndefined();
  });

  it('is refused: claims or header changed after signing', async () => {
    const [header = '', , signature] = (await issuer.token()).split('.');
    const [, claims] = (await issuer.token({ sub: 'bob@example.com' })).split('.');
    expect(await assume(aws, `${header}.${claims}.${signature}`)).toMatchObject({
      code: invalid,
      message: expect.stringMatching(/signature/),
    });
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    expect(await assume(aws, `${none}.${claims}.`)).toMatchObject({
      code: invalid,
      message: 'Invalid algorithm: none',
    });
  });

  it('is refused: signed with the published key as a shared secret', async () => {
    const key = new TextEncoder().encode(JSON.stringify(issuer.keys[0]));
    const token = await issuer.token({}, { alg: 'HS256', key });
    expect(await assume(aws, token)).toMatchObject({ code: invalid, message: 'Invalid algorithm: HS256' });
  });

  it.each(['abcd', 'a.b.c', 'e30.e30', 'W10.e30.e30'])('is refused: %s is none', async (token) => {
    expect(await assume(aws, token)).toMatchObject({
      code: invalid,
      message: expect.stringMatching(/not a valid JWT/),
    });
  });

  it.each(['RS256', 'RS512', 'ES384'])('may be signed with %s', async (alg) => {
    await issuer.rotate('other', true, alg);
    expect((await assume(aws, await issuer.token())).code).toBeUndefined();
  });

  it('is verified with cached keys until it names a new one', async () => {
    await assume(aws, await issuer.token());
    await assume(aws, await issuer.token());
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/jwks']);
    await issuer.rotate('second');
    expect((await assume(aws, await issuer.token())).code).toBeUndefined();
    expect(issuer.requests).toHaveLength(4);
  });
});

describe('an issuer', () => {
  const communication = { status: 400, code: 'IDPCommunicationError' };
  const noKey = {
    status: 400,
    code: 'InvalidIdentityToken',
    message: expect.stringMatching(/^Couldn't retrieve verification key/),
  };

  it('that does not answer', async () => {
    const token = await issuer.token();
    await issuer.close();
    expect(await assume(aws, token)).toMatchObject(communication);
  });

  it.each<[string, { status: number; body: string }, object]>([
    ['answers with an error', { status: 500, body: '{}' }, communication],
    ['answers with a redirect', { status: 302, body: '' }, communication],
    ['answers too much', { status: 200, body: ' '.repeat(300_000) }, communication],
    ['answers with a page', { status: 200, body: '<html>' }, noKey],
    ['answers with a list', { status: 200, body: '[]' }, noKey],
  ])('%s', async (_name, answered, expected) => {
    issuer.answer = answered;
    expect(await assume(aws, await issuer.token())).toMatchObject(expected);
  });

  it.each([
    'issuer',
    'jwks_uri',
    'response_types_supported',
    'subject_types_supported',
    'id_token_signing_alg_values_supported',
  ])('whose discovery document has no %s', async (member) => {
    delete issuer.discovery[member];
    expect(await assume(aws, await issuer.token())).toMatchObject(noKey);
  });

  it('whose discovery document names another issuer', async () => {
    issuer.discovery.issuer = `${issuer.url}/`;
    expect(await assume(aws, await issuer.token())).toMatchObject(noKey);
  });

  it('whose keys come over plain HTTP', async () => {
    issuer.discovery.jwks_uri = 'http://keys.example/jwks';
    expect(await assume(aws, await issuer.token())).toMatchObject(noKey);
  });
});

describe('parameters', () => {
  const validation = 'ValidationError';
  it.each<[string, Record<string, string | undefined>, string, string | RegExp]>([
    [
      'no role',
      { RoleArn: undefined },
      validation,
      "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
    ],
    ['a role that is no ARN', { RoleArn: 'arn:aws:iam::1:role/VouchDeveloper' }, validation, 'Request ARN is invalid'],
    [
      'a user instead of a role',
      { RoleArn: `arn:aws:iam::${accountId}:user/alice` },
      validation,
      'Request ARN is invalid',
    ],
    ['no session name', { RoleSessionName: undefined }, validation, /roleSessionName.*null/],
    ['a session name of one', { RoleSessionName: 'a' }, validation, /greater than or equal to 2$/],
    ['a session name of 65', { RoleSessionName: 'a'.repeat(65) }, validation, /less than or equal to 64$/],
    [
      'a session name with a space',
      { RoleSessionName: 'a b' },
      validation,
      "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    ],
    ['two faults', { RoleSessionName: '/' }, validation, /^2 validation errors detected: .*; /],
    ['no token', { WebIdentityToken: undefined }, validation, /webIdentityToken.*null/],
    ['a token of three', { WebIdentityToken: 'abc' }, validation, /webIdentityToken.*4$/],
    [
      'a token of 20,001',
      { WebIdentityToken: 'a'.repeat(20_001) },
      validation,
      /^1 validation error detected: Value at 'webIdentityToken'.*20000$/,
    ],
    ['a duration of 899', { DurationSeconds: '899' }, validation, /durationSeconds.*900$/],
    ['a duration of 43,201', { DurationSeconds: '43201' }, validation, /durationSeconds.*43200$/],
    [
      'a duration beyond the role',
      { DurationSeconds: '3601' },
      validation,
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ],
    ['a duration that is not a number', { DurationSeconds: '1h' }, 'MalformedInput', /1h/],
    ['a provider id', { ProviderId: 'www.amazon.com' }, validation, /ProviderId/],
    ['policy ARNs, which are not offered', { 'PolicyArns.member.1.arn': 'arn' }, 'NotImplemented', /PolicyArns/],
    [
      'another action',
      { Action: 'AssumeRoleWithSAML' },
      'InvalidAction',
      'Could not find operation AssumeRoleWithSAML for version 2011-06-15',
    ],
    ['another version', { Version: '2010-05-08' }, 'InvalidAction', /2010-05-08/],
    ['no action', { Action: undefined }, 'MissingAction', /action/],
  ])('are refused: %s', async (_name, changes, code, message) => {
    const refused = await assume(aws, await issuer.token(), changes);
    expect(refused.code).toBe(code);
    expect(refused.message).toMatch(message);
  });

  it('may ask for the longest session that the role allows', async () => {
    aws.account().addRole({
      name: 'Long',
      path: '/team/',
      trustPolicy: { Statement: trust(issuer) },
      maxSessionDuration: 43_200,
    });
    const RoleArn = `arn:aws:iam::${accountId}:role/team/Long`;
    const assumed = await assume(aws, await issuer.token(), { RoleArn, DurationSeconds: '43200' });
    expect(assumed.text('Arn')).toBe(`arn:aws:sts::${accountId}:assumed-role/Long/alice@example.com`);
    expect(Date.parse(assumed.text('Expiration') ?? '') / 1000 - seconds()).toBeGreaterThan(43_190);
  });

  it('are accepted only by POST to /', async () => {
    const query = new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' });
    expect((await fetch(`${aws.stsUrl}/?${query}`)).status).toBe(400);
    expect((await fetch(`${aws.stsUrl}/sts`, { method: 'POST', body: query })).status).toBe(400);
  });
});

describe('trust', () => {
  const denied = (action: string) => ({
    status: 403,
    code: 'AccessDenied',
    message: `Not authorized to perform ${action}`,
  });
  const assumeAction = 'sts:AssumeRoleWithWebIdentity';
  const prefix = () => issuer.url.slice(7);

  it('is refused to a role that does not exist, in the same words as by one that does not trust', async () => {
    const token = await issuer.token();
    expect(await assume(aws, token, { RoleArn: `${roleArn}2` })).toMatchObject(denied(assumeAction));
    aws.account().removeRole('VouchDeveloper');
    expect(await assume(aws, token)).toMatchObject(denied(assumeAction));
  });

  it("is refused in another account, which has no such provider, and in another partition's", async () => {
    const token = await issuer.token();
    const elsewhere = {
      code: 'InvalidIdentityToken',
      message: expect.stringMatching(/^No OpenIDConnect provider found/),
    };
    expect(await assume(aws, token, { RoleArn: 'arn:aws:iam::999999999999:role/x' })).toMatchObject(elsewhere);
    expect(await assume(aws, token, { RoleArn: roleArn.replace('aws', 'aws-cn') })).toMatchObject(elsewhere);
    aws.account().removeProvider(issuer.url);
    expect(await assume(aws, token)).toMatchObject(elsewhere);
  });

  it('is refused by a role that trusts another provider', async () => {
    trustOn({ Principal: { Federated: `arn:aws:iam::${accountId}:oidc-provider/auth.example.com` } });
    expect(await assume(aws, await issuer.token())).toMatchObject(denied(assumeAction));
  });

  it('needs every action that the token requires', async () => {
    const token = await issuer.token({ [tagsClaim]: tags, [sourceClaim]: 'alice@example.com' });
    for (const missing of allActions) {
      trustOn({ Action: allActions.filter((action) => action !== missing) });
      expect(await assume(aws, token)).toMatchObject(denied(missing));
    }
    trustOn({ Action: assumeAction });
    expect((await assume(aws, await issuer.token())).code).toBeUndefined();
  });

  it('is overridden by a deny', async () => {
    const deny = trust(issuer, { Effect: 'Deny', Action: 'sts:SetSourceIdentity' });
    aws.account().setPolicies('VouchDeveloper', { trustPolicy: { Statement: [trust(issuer), deny] } });
    const token = await issuer.token({ [sourceClaim]: 'alice@example.com' });
    expect(await assume(aws, token)).toMatchObject(denied('sts:SetSourceIdentity'));
  });

  type Case = [string, () => Statement['Condition'], good: Record<string, unknown>, bad: Record<string, unknown>];
  it.each<Case>([
    ['sub', () => ({ StringLike: { [`${prefix()}:sub`]: '*@example.com' } }), {}, { sub: 'alice@example.org' }],
    [
      'amr',
      () => ({ 'ForAnyValue:StringEquals': { [`${prefix()}:amr`]: 'hwk' } }),
      { amr: ['hwk', 'user'] },
      { amr: ['pwd'] },
    ],
    [
      'the session name, which is the subject',
      () => ({ StringEquals: { 'sts:RoleSessionName': `\${${prefix()}:sub}` } }),
      {},
      { sub: 'bob@example.com' },
    ],
    [
      'the issuer having named the role',
      () => ({ Bool: { 'sts:RoleAuthorizedByIdp': 'true' } }),
      { [rolesClaim]: [roleArn] },
      {},
    ],
    [
      'a tag',
      () => ({ StringEquals: { 'aws:RequestTag/vouch:Email': 'alice@example.com' } }),
      { [tagsClaim]: tags },
      {},
    ],
    [
      "the tags' keys",
      () => ({ 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'vouch:Email' } }),
      { [tagsClaim]: tags },
      {},
    ],
    [
      'transitive keys',
      () => ({ 'ForAnyValue:StringEquals': { 'sts:TransitiveTagKeys': 'vouch:Email' } }),
      { [tagsClaim]: tags },
      {},
    ],
    [
      'the source identity',
      () => ({ StringEquals: { 'sts:SourceIdentity': `\${${prefix()}:sub}` } }),
      { [sourceClaim]: 'alice@example.com' },
      { [sourceClaim]: 'bob@example.com' },
    ],
  ])('can depend on %s', async (_name, condition, good, bad) => {
    const Condition = condition();
    if (Condition !== undefined) trustOn({ Condition });
    expect((await assume(aws, await issuer.token(good))).code).toBeUndefined();
    expect(await assume(aws, await issuer.token(bad))).toMatchObject(denied(assumeAction));
  });

  it('cannot depend on claims that AWS does not pass on', async () => {
    trustOn({ Condition: { StringEquals: { [`${prefix()}:email`]: 'alice@example.com' } } });
    expect(await assume(aws, await issuer.token({ email: 'alice@example.com' }))).toMatchObject(denied(assumeAction));
  });
});

describe('an account', () => {
  it.each([
    'http://auth.example.com',
    'https://auth.example.com:8443',
    'https://auth.example.com?x=y',
    'auth.example.com',
  ])('takes no provider at %s', (url) => {
    expect(() => aws.account().addProvider({ url, clientIds: ['x'] })).toThrow('Invalid Open ID Connect Provider URL');
  });

  it('takes no invalid policy, duration or role name', () => {
    const Condition = { StringMatches: { 'a:b': 'c' } };
    expect(() => trustOn({ Condition })).toThrow('Invalid Condition type');
    const role = { name: 'x', trustPolicy: { Statement: trust(issuer) } };
    expect(() => aws.account().addRole({ ...role, maxSessionDuration: 900 })).toThrow('MaxSessionDuration');
    expect(() => aws.account().addRole({ ...role, name: 'a/b' })).toThrow('role name');
  });
});

describe('GetCallerIdentity', () => {
  const call = (held: Credentials, more: object = {}) =>
    new STSClient({ endpoint: aws.stsUrl, region: 'us-east-1', maxAttempts: 1, credentials: held, ...more }).send(
      new GetCallerIdentityCommand({}),
    );

  it('is refused: a wrong key, session token or secret', async () => {
    const held = await credentials(aws, issuer);
    const other = await credentials(aws, issuer);
    const unknown = { name: 'InvalidClientTokenId', $metadata: { httpStatusCode: 403 } };
    await expect(call({ ...held, accessKeyId: 'ASIAIOSFODNN7EXAMPLE' })).rejects.toMatchObject(unknown);
    await expect(call({ ...held, sessionToken: other.sessionToken })).rejects.toMatchObject(unknown);
    const { sessionToken: _, ...tokenless } = held;
    await expect(call(tokenless as Credentials)).rejects.toMatchObject(unknown);
    await expect(call({ ...held, secretAccessKey: other.secretAccessKey })).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
      $metadata: { httpStatusCode: 403 },
    });
  });

  it('is refused: an expired session, and a session of a deleted role', async () => {
    const held = await credentials(aws, issuer);
    const start = Date.now();
    aws.now = () => new Date(start + 3601_000);
    await expect(call(held)).rejects.toMatchObject({ name: 'ExpiredToken' });
    aws.now = () => new Date();
    trustIssuer(aws, issuer); // the same name, another role
    await expect(call(held)).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
  });

  it.each([
    [-301_000, /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/],
    [301_000, /^Signature not yet current: .* is still later than /],
  ])('is refused: signed %i ms from now', async (systemClockOffset, message) => {
    const held = await credentials(aws, issuer);
    await expect(call(held, { systemClockOffset })).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
      message: expect.stringMatching(message),
    });
  });

  it('is refused: changed after it was signed', async () => {
    const held = await credentials(aws, issuer);
    type Sent = { headers: Record<string, string>; body: string };
    let sent: Sent = { headers: {}, body: '' };
    const requestHandler = {
      handle: (request: Sent) => {
        sent = request;
        throw new Error('kept');
      },
    };
    await expect(call(held, { requestHandler })).rejects.toThrow('kept');
    const { host: _, 'content-length': __, ...headers } = sent.headers;
    const send = async (changes: Record<string, string>, body = sent.body) =>
      answer(await fetch(aws.stsUrl, { method: 'POST', headers: { ...headers, ...changes }, body }));
    const { authorization = '' } = headers;

    expect((await send({})).code).toBeUndefined();
    // It has the same length as the signed body, and the same parameters.
    const turned = sent.body.split('&').reverse().join('&');
    expect(turned).not.toBe(sent.body);
    expect(await send({}, turned)).toMatchObject({ code: 'SignatureDoesNotMatch' });
    const yesterday = authorization.replace(/\/\d{8}\//, '/20200101/');
    expect((await send({ authorization: yesterday })).message).toBe(
      'Date in Credential scope does not match YYYYMMDD from ISO-8601.',
    );
    expect(await send({ 'x-amz-extra': '1' })).toMatchObject({
      code: 'SignatureDoesNotMatch',
      message: expect.stringMatching(/x-amz-extra/),
    });
    for (const [from, to] of [
      ['/sts/', '/codecommit/'],
      ['/us-east-1/', '/us-west-2/'],
      ['SignedHeaders=', 'SignedHeaders=accept;'],
      ['host;', ''],
    ] as const) {
      const changed = authorization.replace(from, to);
      expect(changed).not.toBe(authorization);
      expect(await send({ authorization: changed })).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    }
    expect(await send({ authorization: 'AWS4-HMAC-SHA256 x' })).toMatchObject({ code: 'IncompleteSignature' });
    expect(await send({ 'x-amz-date': 'today' })).toMatchObject({ code: 'IncompleteSignature' });
    expect(await sts(aws, { Action: 'GetCallerIdentity' })).toMatchObject({
      status: 403,
      code: 'MissingAuthenticationToken',
      message: 'Request is missing Authentication Token',
    });
  });
});

it('STS lets a test answer in its place', async () => {
  const token = await issuer.token();
  const seen: string[] = [];
  aws.intercept = ({ service, action, response }) => {
    seen.push(`${service} ${action}`);
    response.writeHead(503).end();
    return true;
  };
  expect((await assume(aws, token)).status).toBe(503);
  aws.intercept = async () => undefined;
  expect((await assume(aws, token)).status).toBe(200);
  aws.intercept = undefined;
  expect(seen).toEqual(['sts AssumeRoleWithWebIdentity']);
});
