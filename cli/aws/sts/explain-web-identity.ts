import { Outage } from '../../network/outage.ts';
import {
  caVariable,
  isLastingFailure,
  networkFailure,
  networkFix,
  networkReason,
  restart,
} from '../../network/reason.ts';
import { redact } from '../../network/redact.ts';
import type { ProblemData } from '../../problem/details.ts';
import { Problem } from '../../problem/problem.ts';
import { count } from '../../text/count.ts';
import { printable } from '../../text/printable.ts';
import { awsReason } from './aws-reason.ts';
import { isCoded, quoted, readFailure } from './read-failure.ts';

/** The parts of the request to STS that an explanation needs. */
export interface StsContext {
  role: string;
  region: string;
  sessionName: string;
  duration: number;
  /** The session policy that was sent, if there was one. */
  policy?: string | undefined;
  /** The environment in which STS was asked. */
  env: NodeJS.ProcessEnv;
  /** Secrets that were sent, which an answer could quote. */
  secrets?: readonly string[];
}

/**
 * Explains a refusal of AssumeRoleWithWebIdentity: which role, why, and which condition to look at.
 *
 * @param error what was thrown, with STS's error code as its name
 * @param context the request
 * @returns a Problem `aws-refused` when AWS refused; `aws-unreachable` when AWS could not be reached or is too busy, an Outage if
 *   a retry may help
 */
export function explainWebIdentity(error: unknown, context: StsContext): Problem {
  const { name, message, status, retryAfter } = readFailure(error, context.secrets);
  const { role, region, sessionName } = context;
  const isLent = context.policy !== undefined;
  const { reason, action } = awsReason(name, message);
  const refused = (why: string, fix: string) =>
    new Problem({
      kind: 'aws-refused',
      code: printable(name, 100),
      reason,
      action,
      role,
      said: message,
      what: `AWS refused the role ${role}.`,
      why: [why, quoted(message)].filter(Boolean).join(' '),
      fix,
    });
  const unreachable = (what: string, why: string, fix: string, data: Partial<ProblemData> = {}) =>
    new Outage({ kind: 'aws-unreachable', ...data, role, what, why, fix }, retryAfter);
  if (reason === 'issuer-unreachable') {
    return unreachable(
      `AWS could not fetch your Vouch server's keys, so the role ${role} was not given.`,
      quoted(message) || 'STS reads the discovery document and the keys over the internet.',
      "Ask the server's administrator whether AWS can read its public documents over HTTPS (`vouch-server publish --check` says); then try again.",
      { reason, said: message },
    );
  }
  switch (name) {
    case 'AccessDenied':
    case 'AccessDeniedException':
      return refused(
        isLent
          ? `The role does not exist, or its trust policy does not let ${sessionName} in, or forbids lending.`
          : `The role does not exist, or its trust policy does not let ${sessionName} in.`,
        'Ask your AWS administrator to compare the trust policy: actions sts:AssumeRoleWithWebIdentity, ' +
          'sts:TagSession and sts:SetSourceIdentity; conditions on aud and sub of your Vouch server, sts:RoleSessionName ' +
          `(yours is ${sessionName}) and sts:RoleAuthorizedByIdp. It may also ask for a security key of a higher level.`,
      );
    case 'InvalidIdentityToken':
    case 'InvalidIdentityTokenException':
      return refused(
        'The account does not accept tokens of this Vouch server for this role.',
        "Ask your AWS administrator whether the account has an IAM OIDC provider with exactly this server's URL, whether its " +
          "audience list holds the token's audience, and whether the role's ARN is the one that you set up.",
      );
    case 'IDPRejectedClaim':
    case 'IDPRejectedClaimException':
      return refused(
        'A claim in the token was not accepted.',
        'Check that the role ARN that you set up is right, then run `vouch login` and try again.',
      );
    case 'ExpiredTokenException':
    case 'ExpiredToken':
      return refused(
        'The token had expired when AWS saw it: AWS accepts it for 6 minutes.',
        "The Vouch server's clock is probably wrong: ask its administrator to check it.",
      );
    case 'ValidationError':
    case 'ValidationException':
      return refused(
        reason === 'duration'
          ? `A session of ${count(context.duration, 'second')} was asked for, and the role allows less.`
          : 'The request was not valid.',
        reason === 'duration'
          ? "Ask your AWS administrator to set the role's maximum session duration to 1 hour or more."
          : 'Check that the role ARN that you set up is right.',
      );
    case 'PackedPolicyTooLarge':
    case 'PackedPolicyTooLargeException':
      return isLent
        ? refused(
            'The fence and the session’s tags are too large for AWS together.',
            'Name fewer repositories or branches, or patterns such as `team-*`.',
          )
        : refused("The session's tags are too large for AWS.", "Tell the Vouch server's administrator.");
    case 'RegionDisabledException':
      return refused(
        `STS is not enabled in the region ${region} for this account.`,
        `Ask your AWS administrator to activate STS in ${region}.`,
      );
  }
  if (status === 429 || /^(Throttl|RequestThrottl|TooManyRequests|RequestLimitExceeded|SlowDown)/.test(name)) {
    return unreachable(`AWS STS in ${region} is too busy right now.`, quoted(message), 'Try again in a minute.');
  }
  const down = `AWS STS in ${region} could not be reached.`;
  const fix = 'Check your network, your proxy and AWS_ENDPOINT_URL_STS if you set it, then try again.';
  if (status !== undefined && status >= 500) {
    return unreachable(down, `It answered with status ${status}. ${quoted(message)}`.trim(), fix);
  }
  if (status !== undefined && isCoded(error)) {
    return refused(`STS answered ${printable(name, 100)}.`, 'Check that the role ARN that you set up is right.');
  }
  if (status !== undefined || (error instanceof Error && '$response' in error && !('code' in error))) {
    // An answer that could not be read is not quoted, because it may be half of an answer with credentials.
    return unreachable(
      `AWS STS in ${region} gave no proper answer.`,
      'What came was cut off, or not from AWS: a proxy may have answered in its place.',
      fix,
      { network: 'proxy' },
    );
  }
  const why = redact(networkReason(error), context.secrets ?? []);
  const network = networkFailure(error);
  if (!isLastingFailure(error)) return unreachable(down, why, fix, { network });
  const how = networkFix(error, caVariable(context.env), restart) ?? fix;
  return new Problem({ kind: 'aws-unreachable', network, role, what: down, why, fix: how });
}
