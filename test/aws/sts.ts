import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Account } from './accounts.ts';
import { assumeRole } from './assume-role.ts';
import { AwsError } from './aws-error.ts';
import type { IssuerKeys } from './identity-provider.ts';
import type { Intercept } from './intercept.ts';
import type { Log, LogEntry } from './log.ts';
import { ContextKeys, evaluate } from './policy.ts';
import { readSessionPolicy } from './session-policy.ts';
import { type Sessions, sessionArn } from './sessions.ts';
import { verifySignature } from './sigv4.ts';
import { assumedRole, element, xml } from './sts-answer.ts';
import { Parameters, patterns } from './sts-parameters.ts';
import { providerKeys, verifyWebIdentity, type WebIdentity } from './web-identity.ts';

export interface StsOptions {
  account(id: string): Account | undefined;
  sessions: Sessions;
  keys: IssuerKeys;
  log: Log;
  now(): Date;
  intercept: Intercept;
  /** The lifetime of a role's session in seconds. @param asked the requested seconds */
  lifetime(role: string, asked: number): number;
}

type Details = Partial<LogEntry>;

const actions = ['AssumeRole', 'AssumeRoleWithWebIdentity', 'GetCallerIdentity'] as const;
type Action = (typeof actions)[number];

const version = '2011-06-15';
const namespace = `https://sts.amazonaws.com/doc/${version}/`;
const maxBody = 256 * 1024;

/** Three actions of AWS STS, in the query protocol. https://docs.aws.amazon.com/STS/latest/APIReference/ */
export function createStsServer(options: StsOptions): Server {
  return createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    serve(options, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
}

async function serve(options: StsOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // From this header clients learn how far off their own clock is.
  response.setHeader('date', options.now().toUTCString());
  const requestId = randomUUID();
  const details: Details = {};
  const finish = (status: number, outcome: string, xml: string, message?: string) => {
    options.log.add({
      at: options.now().toISOString(),
      service: 'sts',
      action: '-',
      ...details,
      outcome,
      ...(message !== undefined && { message }),
    });
    response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': requestId });
    response.end(xml);
  };
  try {
    const body = await readBody(request);
    const form = new URLSearchParams(body.toString('utf8'));
    const action = checkAction(request, form);
    details.action = action;
    if ((await options.intercept({ service: 'sts', action, form, request, response })) === true) return;
    const result =
      action === 'AssumeRoleWithWebIdentity'
        ? await assumeRoleWithWebIdentity(options, form, details)
        : await signedAction(options, action, request, body, details);
    finish(
      200,
      'OK',
      `<${action}Response xmlns="${namespace}">\n  <${action}Result>\n${result}  </${action}Result>\n` +
        `  <ResponseMetadata>\n    <RequestId>${requestId}</RequestId>\n  </ResponseMetadata>\n</${action}Response>\n`,
    );
  } catch (error) {
    const { code, message, status } =
      error instanceof AwsError ? error : new AwsError('InternalFailure', 'The local AWS has failed.', 500);
    if (!(error instanceof AwsError)) console.error(error);
    const type = status >= 500 ? 'Receiver' : 'Sender';
    finish(
      status,
      code,
      `<ErrorResponse xmlns="${namespace}">\n  <Error>\n    <Type>${type}</Type>\n    <Code>${xml(code)}</Code>\n` +
        `    <Message>${xml(message)}</Message>\n  </Error>\n  <RequestId>${requestId}</RequestId>\n</ErrorResponse>\n`,
      message,
    );
  }
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/MakingQueryRequests.html */
function checkAction(request: IncomingMessage, form: URLSearchParams): Action {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (request.method !== 'POST' || pathname !== '/') {
    throw new AwsError('UnsupportedProtocol', 'The local STS accepts only POST requests for /.', 400);
  }
  const action = form.get('Action');
  if (action === null) throw new AwsError('MissingAction', 'The request is missing an action.');
  const known = actions.find((name) => name === action);
  if (known === undefined || form.get('Version') !== version) {
    throw new AwsError('InvalidAction', `Could not find operation ${action} for version ${form.get('Version')}`);
  }
  return known;
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
async function assumeRoleWithWebIdentity(
  options: StsOptions,
  form: URLSearchParams,
  details: Details,
): Promise<string> {
  const { roleArn, sessionName, token, duration } = checkParameters(form);
  details.role = roleArn;
  details.session = sessionName;
  const [, partition, accountId = ''] = /^arn:([a-z-]+):iam::(\d{12}):role\/.+$/.exec(roleArn) ?? [];
  if (partition === undefined) throw new AwsError('ValidationError', 'Request ARN is invalid');
  const found = options.account(accountId);
  const account = found?.partition === partition ? found : undefined;

  const now = options.now();
  const identity = await verifyWebIdentity({ token, account, roleArn, keys: options.keys, now });
  details.subject = identity.subject;
  if (Object.keys(identity.tags).length > 0) details.principalTags = identity.tags;
  if (identity.sourceIdentity !== undefined) details.sourceIdentity = identity.sourceIdentity;

  // A role that does not exist gets the same refusal as one that does not trust the caller.
  const role = account?.roleByArn(roleArn);
  if (account === undefined || role === undefined) throw notAuthorized('sts:AssumeRoleWithWebIdentity');
  const federated = account.providerArn(identity.issuer);
  const context = trustContext(identity, sessionName);
  for (const action of [
    'sts:AssumeRoleWithWebIdentity',
    ...(Object.keys(identity.tags).length > 0 ? ['sts:TagSession'] : []),
    ...(identity.sourceIdentity !== undefined ? ['sts:SetSourceIdentity'] : []),
  ]) {
    if (evaluate([role.trustPolicy], { action, federated, context }) !== 'Allow') throw notAuthorized(action);
  }
  if (duration > role.maxSessionDuration) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  }

  const policy = readSessionPolicy(form, identity.tags, options.sessions.packedLimit);
  const transitiveKeys = identity.transitiveTagKeys.map((key) => key.toLowerCase());
  const session = options.sessions.issue({
    account,
    role,
    name: sessionName,
    issuedAt: now,
    // In whole seconds, because the answer has no fractions.
    expiration: new Date((Math.floor(now.getTime() / 1000) + options.lifetime(roleArn, duration)) * 1000),
    provider: federated,
    providerKeys: providerKeys(identity),
    tags: identity.tags,
    transitiveTags: Object.fromEntries(
      Object.entries(identity.tags).filter(([key]) => transitiveKeys.includes(key.toLowerCase())),
    ),
    sourceIdentity: identity.sourceIdentity,
    policy,
  });
  return (
    element('SubjectFromWebIdentityToken', identity.subject) +
    element('Audience', identity.audience) +
    element('Provider', federated) +
    assumedRole(session)
  );
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html */
function trustContext(identity: WebIdentity, sessionName: string): ContextKeys {
  const tags = Object.entries(identity.tags);
  const context = new ContextKeys()
    .set('sts:RoleSessionName', sessionName)
    .set('sts:RoleAuthorizedByIdp', String(identity.roles !== undefined))
    .set('sts:SourceIdentity', identity.sourceIdentity)
    .set('aws:TagKeys', tags.length === 0 ? undefined : tags.map(([key]) => key))
    .set('sts:TransitiveTagKeys', identity.transitiveTagKeys.length === 0 ? undefined : identity.transitiveTagKeys);
  for (const [key, value] of Object.entries(providerKeys(identity))) context.set(key, value);
  for (const [key, value] of tags) context.set(`aws:RequestTag/${key}`, value);
  return context;
}

/** AssumeRole and GetCallerIdentity, for the session that signed the request. */
function signedAction(
  options: StsOptions,
  action: 'AssumeRole' | 'GetCallerIdentity',
  request: IncomingMessage,
  body: Buffer,
  details: Details,
): string {
  const { method = '', url = '', headers } = request;
  const form = new URLSearchParams(body.toString('utf8'));
  if (action === 'AssumeRole') {
    const asked = { role: form.get('RoleArn'), session: form.get('RoleSessionName') };
    Object.assign(details, Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null)));
  }
  const { session, region } = verifySignature({ method, url, headers, body }, 'sts', options.sessions, options.now());
  details.region = region;
  if (session.sourceIdentity !== undefined) details.sourceIdentity = session.sourceIdentity;
  if (action === 'AssumeRole') {
    details.caller = sessionArn(session);
    return assumedRole(assumeRole(options, session, region, form));
  }
  // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
  details.role = session.roleArn;
  details.session = session.name;
  return (
    element('Arn', sessionArn(session)) +
    element('UserId', `${session.roleId}:${session.name}`) +
    element('Account', session.account.id)
  );
}

function checkParameters(form: URLSearchParams) {
  const parameters = new Parameters(form);
  parameters.refuse('PolicyArns');
  if (form.has('ProviderId')) {
    throw new AwsError(
      'ValidationError',
      'ProviderId is for OAuth 2.0 access tokens, not for OpenID Connect ID tokens',
    );
  }
  const request = {
    roleArn: parameters.text('RoleArn', { min: 20, max: 2048 }),
    sessionName: parameters.text('RoleSessionName', { min: 2, max: 64, pattern: patterns.sessionName }),
    token: parameters.text('WebIdentityToken', { min: 4, max: 20_000, secret: true }),
    duration: parameters.duration(),
  };
  parameters.check();
  return request;
}

const notAuthorized = (action: string) => new AwsError('AccessDenied', `Not authorized to perform ${action}`, 403);

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) throw new AwsError('RequestEntityTooLarge', 'Request body too large', 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
