import type { Account, Role } from './accounts.ts';
import { AwsError } from './aws-error.ts';
import { type ContextKeys, evaluate } from './policy.ts';
import { evaluateSession, readSessionPolicy } from './session-policy.ts';
import { type Session, type Sessions, sessionArn, sessionContext } from './sessions.ts';
import { Parameters, patterns } from './sts-parameters.ts';

/** "Role chaining limits your AWS CLI or AWS API role session to a maximum of one hour." */
const maxChainedDuration = 3600;

/**
 * AssumeRole, called with the session of another role: role chaining. (There are no IAM users here.)
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 *
 * @param region the region that the request was signed for
 */
export function assumeRole(
  options: { account(id: string): Account | undefined; sessions: Sessions; now(): Date },
  caller: Session,
  region: string,
  form: URLSearchParams,
): Session {
  const request = readParameters(form);
  const { roleArn, sessionName, duration, tags, transitiveTagKeys } = request;
  const [, partition, accountId = ''] = /^arn:([a-z-]+):iam::(\d{12}):role\/.+$/.exec(roleArn) ?? [];
  if (partition === undefined) throw new AwsError('ValidationError', 'Request ARN is invalid');

  // A source identity never changes, and passes to every later session.
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
  if (
    caller.sourceIdentity !== undefined &&
    (request.sourceIdentity ?? caller.sourceIdentity) !== caller.sourceIdentity
  )
    throw new AwsError('ValidationError', 'The source identity is already set for this assume role session');
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
  const inherited = Object.keys(caller.transitiveTags).map((key) => key.toLowerCase());
  if (Object.keys(tags).some((key) => inherited.includes(key.toLowerCase()))) {
    throw new AwsError(
      'InvalidParameterValue',
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    );
  }

  // A role that does not exist, or is in another partition, gets the same refusal as one that does not trust the caller.
  const found = options.account(accountId);
  const role = found?.partition === caller.account.partition ? found.roleByArn(roleArn) : undefined;
  const account = found;
  const context = requestContext(caller, region, request);
  const all = { ...caller.transitiveTags, ...tags };
  const sourceIdentity = caller.sourceIdentity ?? request.sourceIdentity;
  if (role === undefined || account === undefined) throw notAuthorized(caller, 'sts:AssumeRole', roleArn);
  const may = (action: string) => mayAssume(caller, account, role, action, context);
  if (!may('sts:AssumeRole')) throw notAuthorized(caller, 'sts:AssumeRole', roleArn);
  if (Object.keys(all).length > 0 && !may('sts:TagSession')) throw notAuthorized(caller, 'sts:TagSession', roleArn);
  if (sourceIdentity !== undefined && !may('sts:SetSourceIdentity')) {
    throw notAuthorized(caller, 'sts:SetSourceIdentity', roleArn);
  }

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
  if (duration > maxChainedDuration) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  const policy = readSessionPolicy(form, all, options.sessions.packedLimit);
  const now = options.now();
  const transitive = Object.entries(tags).filter(([key]) => transitiveTagKeys.includes(key.toLowerCase()));
  return options.sessions.issue({
    account,
    role,
    name: sessionName,
    issuedAt: now,
    // In whole seconds, because the answer has no fractions.
    expiration: new Date((Math.floor(now.getTime() / 1000) + duration) * 1000),
    // The identity provider vouched only for the first session.
    provider: undefined,
    providerKeys: {},
    tags: all,
    transitiveTags: { ...caller.transitiveTags, ...Object.fromEntries(transitive) },
    sourceIdentity,
    policy,
  });
}

/**
 * The role must trust the caller. That is enough if its trust policy names the caller's role or session and both are in one
 * account. If it names the account, or another account's role, the caller's own policies must allow the call too. (IAM stores the
 * unique id of a role that a policy names, so that it does not trust a new role of the same name. This AWS does not.)
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
 *
 * Passing on a source identity always needs both: "When you assume a role with another role, called role
 * chaining, permissions for sts:SetSourceIdentity are required in both the permissions policy of the principal who is
 * assuming the role and in the role trust policy of the target role."
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html#id_credentials_temp_control-access_monitor-perms
 */
function mayAssume(caller: Session, account: Account, role: Role, action: string, context: ContextKeys): boolean {
  const { id, partition } = caller.account;
  const itself = [caller.roleArn, sessionArn(caller), '*'];
  const itsAccount = [id, `arn:${partition}:iam::${id}:root`];
  const trust = (principals: readonly string[]) => evaluate([role.trustPolicy], { action, principals, context });
  const trusted = trust([...itself, ...itsAccount]);
  const { decision: permitted } = evaluateSession(caller, { action, resource: role.arn, context });
  if (trusted !== 'Allow' || permitted === 'ExplicitDeny') return false;
  const trustIsEnough = caller.account === account && trust(itself) === 'Allow' && action !== 'sts:SetSourceIdentity';
  return trustIsEnough || permitted === 'Allow';
}

/** STS's refusal, which names the caller. */
const notAuthorized = (caller: Session, action: string, roleArn: string) =>
  new AwsError(
    'AccessDenied',
    `User: ${sessionArn(caller)} is not authorized to perform: ${action} on resource: ${roleArn}`,
    403,
  );

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html */
function requestContext(caller: Session, region: string, request: ReturnType<typeof readParameters>): ContextKeys {
  const keys = Object.keys(request.tags);
  const context = sessionContext(caller, region)
    .set('sts:RoleSessionName', request.sessionName)
    .set('sts:ExternalId', request.externalId)
    .set('sts:SourceIdentity', request.sourceIdentity)
    .set('aws:TagKeys', keys.length === 0 ? undefined : keys)
    .set('sts:TransitiveTagKeys', request.transitiveTagKeys.length === 0 ? undefined : request.transitiveTagKeys);
  for (const [key, value] of Object.entries(request.tags)) context.set(`aws:RequestTag/${key}`, value);
  return context;
}

function readParameters(form: URLSearchParams) {
  const parameters = new Parameters(form);
  parameters.refuse('PolicyArns', 'SerialNumber', 'TokenCode', 'ProvidedContexts');
  const { sessionName, externalId, tagKey, tagValue } = patterns;
  const request = {
    roleArn: parameters.text('RoleArn', { min: 20, max: 2048 }),
    sessionName: parameters.text('RoleSessionName', { min: 2, max: 64, pattern: sessionName }),
    duration: parameters.duration(),
    externalId: parameters.optional('ExternalId', { min: 2, max: 1224, pattern: externalId }),
    sourceIdentity: parameters.optional('SourceIdentity', { min: 2, max: 64, pattern: sessionName }),
  };
  const given = parameters.members('Tags', 50).map((number) => ({
    key: parameters.text(`Tags.member.${number}.Key`, { min: 1, max: 128, pattern: tagKey }),
    value: parameters.text(`Tags.member.${number}.Value`, { min: 0, max: 256, pattern: tagValue }),
  }));
  const transitiveTagKeys = parameters
    .members('TransitiveTagKeys', 50)
    .map((number) => parameters.text(`TransitiveTagKeys.member.${number}`, { min: 1, max: 128, pattern: tagKey }))
    .map((key) => key.toLowerCase());
  parameters.check();

  // Keys ignore case; those that begin with `aws:` are AWS's own.
  const keys = given.map(({ key }) => key.toLowerCase());
  if (new Set(keys).size < keys.length) {
    throw new AwsError(
      'InvalidParameterValue',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    );
  }
  if (keys.some((key) => key.startsWith('aws:')) || request.sourceIdentity?.startsWith('aws:') === true) {
    throw new AwsError('InvalidParameterValue', 'The prefix "aws:" is reserved.');
  }
  if (!transitiveTagKeys.every((key) => keys.includes(key))) {
    throw new AwsError(
      'InvalidParameterValue',
      'The specified transitive tag key must be included in the requested tags.',
    );
  }
  return { ...request, tags: Object.fromEntries(given.map(({ key, value }) => [key, value])), transitiveTagKeys };
}
