import { networkReason } from '../network-reason.ts';
import { Problem, printable } from '../problem.ts';

/** What was asked of STS, as far as an explanation needs it. */
export interface StsContext {
  role: string;
  region: string;
  sessionName: string;
  duration: number;
}

export interface ChainContext extends StsContext {
  /** The ARN of the role whose credentials were shown. */
  source: string;
}

/**
 * Puts a refusal of AssumeRole in words, for the one role of a chain that was refused: who asked for it, and which of the two
 * sides has to allow what.
 *
 * A Vouch session has tags that are transitive and a source identity, so a chained role must let both come along (IAM User
 * Guide, "Chaining roles with session tags" and "Permissions required to set source identity": the latter on both sides).
 *
 * @returns a Problem as explainSts
 */
export function explainAssumeRole(error: unknown, context: ChainContext): Problem {
  const { name, message } = describe(error);
  if (/^(ExpiredToken|RequestExpired|SignatureDoesNotMatch|InvalidClientTokenId)/.test(name)) {
    return new Problem({
      kind: 'aws-refused',
      what: `AWS did not take the credentials of ${context.source}, so the role ${context.role} was not given.`,
      why: said(message),
      fix: 'Check the clock of this machine, then try again.',
      exitCode: 5,
    });
  }
  if (name !== 'AccessDenied' && name !== 'AccessDeniedException') return explainSts(error, context);
  const { role, source } = context;
  const missing = /not authorized to perform: (sts:(?:AssumeRole|TagSession|SetSourceIdentity))\b/.exec(message)?.[1];
  const [, principal] = /\bUser: (arn:\S+)/.exec(message) ?? [];
  const lacks =
    missing === undefined || missing === 'sts:AssumeRole'
      ? `${source} may not assume it, its trust policy does not trust ${source}, or it does not exist.`
      : `What is missing is ${missing}.`;
  return new Problem({
    kind: 'aws-refused',
    what: `AWS refused the role ${role} to ${principal ? printable(principal, 300) : source}.`,
    why: [lacks, said(message)].filter(Boolean).join(' '),
    fix:
      'Ask who runs your AWS accounts to allow sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity twice: to ' +
      `${source} in its permissions, with ${role} as the resource, and in the trust policy of ${role}, with ${source} as the ` +
      'principal. Where that trust policy has a condition on sts:ExternalId, your profile needs it as external_id.',
    exitCode: 5,
  });
}

/**
 * Puts a refusal of AssumeRoleWithWebIdentity in words: which role, why, and which condition to look at.
 *
 * @param error what the SDK threw: STS's error code is its name
 * @param context what was asked
 * @returns a Problem with exit code 5 when AWS refused, 4 when AWS could not be reached or is too busy
 */
export function explainSts(error: unknown, context: StsContext): Problem {
  const { name, message, status } = describe(error);
  const { role, region, sessionName } = context;
  const refused = (why: string, fix: string) =>
    new Problem({
      kind: 'aws-refused',
      what: `AWS refused the role ${role}.`,
      why: [why, said(message)].filter(Boolean).join(' '),
      fix,
      exitCode: 5,
    });
  const unreachable = (what: string, why: string, fix: string) =>
    new Problem({ kind: 'aws-unreachable', what, why, fix, exitCode: 4 });

  switch (name) {
    case 'AccessDenied':
    case 'AccessDeniedException':
      return refused(
        `The role does not exist, or its trust policy does not let ${sessionName} in.`,
        'Ask who runs your AWS account to compare the trust policy: actions sts:AssumeRoleWithWebIdentity, ' +
          'sts:TagSession and sts:SetSourceIdentity; conditions on <issuer>:aud, <issuer>:sub, sts:RoleSessionName ' +
          `(yours is ${sessionName}) and sts:RoleAuthorizedByIdp.`,
      );
    case 'InvalidIdentityToken':
    case 'InvalidIdentityTokenException':
      return refused(
        'The account does not take tokens of this Vouch server for this role.',
        "Ask who runs your AWS account whether it has an IAM OIDC provider with exactly this server's URL, whether its " +
          "audience list holds the token's audience, and whether the role's ARN is the one that you set up.",
      );
    case 'IDPRejectedClaim':
    case 'IDPRejectedClaimException':
      return refused(
        'A claim in the token was not accepted.',
        'Check that the role ARN that you set up is right, then run `vouch login` and try again.',
      );
    case 'IDPCommunicationError':
    case 'IDPCommunicationErrorException':
      return unreachable(
        `AWS could not fetch your Vouch server's keys, so the role ${role} was not given.`,
        said(message) || 'STS reads the discovery document and the keys over the internet.',
        'Ask who runs the server whether it is reachable from the internet over HTTPS; then try again.',
      );
    case 'ExpiredTokenException':
    case 'ExpiredToken':
      return refused(
        'The token had expired when AWS saw it; it lives for 5 minutes.',
        "The Vouch server's clock is probably wrong: ask who runs it to check it.",
      );
    case 'ValidationError':
    case 'ValidationException':
      return refused(
        /duration/i.test(message)
          ? `A session of ${context.duration} seconds was asked for, and the role allows less.`
          : 'The request was not valid.',
        /duration/i.test(message)
          ? "Ask who runs your AWS account to set the role's maximum session duration to 1 hour or more."
          : 'Check that the role ARN that you set up is right.',
      );
    case 'PackedPolicyTooLarge':
    case 'PackedPolicyTooLargeException':
      return refused("The session's tags are too large for AWS.", 'Tell who runs the Vouch server.');
    case 'RegionDisabledException':
      return refused(
        `STS is not enabled in the region ${region} for this account.`,
        `Ask who runs your AWS account to activate STS in ${region}.`,
      );
    case 'Throttling':
    case 'ThrottlingException':
    case 'TooManyRequestsException':
    case 'RequestLimitExceeded':
    case 'SlowDown':
      return unreachable('AWS is too busy right now.', said(message), 'Try again in a minute.');
  }
  if (status !== undefined && status >= 400 && status < 500) {
    return refused(`STS answered ${printable(name, 100)}.`, 'Check that the role ARN that you set up is right.');
  }
  if (error instanceof Error && '$response' in error && !('code' in error)) {
    // What the SDK could not read is not quoted: it may be half of an answer that held credentials.
    return unreachable(
      `AWS STS in ${region} gave no proper answer.`,
      'What came was cut off, or not from AWS: a proxy may have answered in its place.',
      'Check your network, your proxy and AWS_ENDPOINT_URL_STS if you set it, then try again.',
    );
  }
  return unreachable(
    `AWS STS in ${region} could not be reached.`,
    status === undefined ? networkReason(error) : `It answered with status ${status}. ${said(message)}`.trim(),
    'Check your network, your proxy and AWS_ENDPOINT_URL_STS if you set it, then try again.',
  );
}

function said(message: string): string {
  return message === '' ? '' : `AWS says: ${printable(message, 400)}`;
}

function describe(error: unknown): { name: string; message: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: '', message: String(error), status: undefined };
  const metadata = (error as { $metadata?: { httpStatusCode?: number } }).$metadata;
  // The SDK also fills the status in for an answer that it could not read; such an error has no `$fault`.
  const status = '$fault' in error ? metadata?.httpStatusCode : undefined;
  return { name: error.name, message: error.message, status };
}
