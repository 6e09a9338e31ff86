import type { VouchProfile } from '../aws/config/profiles.ts';
import { authorizationId, useAuthorizationId } from '../aws/sts/authorization-id.ts';
import type { Problem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';
import type { Finding } from './check.ts';
import { problemAsFinding } from './problem-as-finding.ts';

/** STS's refusal of a role, and what was asked for. */
interface Refusal {
  profile: VouchProfile;
  /** The token's claims. */
  claims: Record<string, unknown>;
  problem: Problem;
}

/**
 * The finding about a token that AWS did not accept for the role, as exact as AWS's message allows. AWS names the provider, the
 * audience, the times and each action of the trust policy, but not the policy's conditions.
 */
export function stsFinding({ profile, claims, problem }: Refusal): Finding {
  const { reason, action, said = '' } = problem;
  const provider = String(claims.iss).replace(/^https?:\/\//, '');
  const { account, partition, arn } = profile.role;
  const federated = `arn:${partition.id}:iam::${account}:oidc-provider/${provider}`;
  const template = '`vouch-server aws-template` prints all that the account must have.';
  const decision = authorizationId(said);
  const trouble = (id: string, what: string, more: string[], fix: string): Finding => ({
    id,
    severity: 'trouble',
    what,
    why: [...(said === '' ? [] : [`AWS says: ${printable(said)}`]), ...more],
    steps: [fix, ...(decision === undefined ? [] : [useAuthorizationId(decision)]), template],
  });

  if (reason === 'provider-unknown') {
    return trouble(
      'sts.provider-unknown',
      `AWS account ${account} does not know your Vouch server.`,
      [`It has no IAM OIDC provider ${federated}`],
      `Ask your AWS administrator to make one for ${claims.iss}, with the audience ${claims.aud}`,
    );
  }
  if (reason === 'audience') {
    return trouble(
      'sts.audience',
      `AWS account ${account} knows your Vouch server, but not the audience of its tokens.`,
      [`The token's audience is ${claims.aud}; the provider is ${federated}`],
      `Ask your AWS administrator to add the audience ${claims.aud} to that provider.`,
    );
  }
  if (reason === 'token-times') {
    return problemAsFinding('sts.clock-skew', problem, {
      what: "AWS and your Vouch server do not agree about the time: AWS does not accept the token's times.",
      steps: ["Ask the Vouch server's administrator to check its clock; check this machine's too (`date -u`)."],
    });
  }
  if (reason === 'trust-action' && action !== undefined) {
    return trouble(
      'sts.trust-action',
      `The trust policy of the role does not allow ${action}.`,
      [`The role is ${arn}; it allows sts:AssumeRoleWithWebIdentity.`, carried(action, claims)],
      `Ask your AWS administrator to add ${action} to the actions of the role's trust policy.`,
    );
  }
  if (reason === 'trust') {
    return trouble(
      'sts.trust',
      'The role does not trust you: its trust policy refuses, or there is no such role.',
      [
        `The role is ${arn}`,
        'AWS says nothing against the token itself (issuer, signature, times, audience).',
        'What the documented trust policy asks for, and what you bring:',
        ...conditions(claims, provider, federated),
      ],
      "Ask your AWS administrator to compare these lines with the role's trust policy.",
    );
  }
  return problemAsFinding('sts.refused', problem);
}

/** Each condition of the documented trust policy, with its value in this token and this session. */
function conditions(claims: Record<string, unknown>, provider: string, federated: string): string[] {
  const roles = claims['https://aws.amazon.com/roles'];
  const level = tagsOf(claims)['vouch:KeyLevel'];
  return [
    `Principal.Federated: ${federated}`,
    `${provider}:aud = ${claims.aud}`,
    `${provider}:sub = ${claims.sub}`,
    `sts:RoleSessionName = ${claims.sub} (equal to sub, as \${${provider}:sub} asks)`,
    `sts:RoleAuthorizedByIdp = ${Array.isArray(roles) && roles.length > 0} (the token names this role)`,
    `aws:RequestTag/vouch:KeyLevel = ${level ?? "nothing (the server has no proof of your key's level)"}, if a level is asked for`,
  ];
}

function tagsOf(claims: Record<string, unknown>): Record<string, unknown> {
  const { principal_tags: tags } = Object(claims['https://aws.amazon.com/tags']) as { principal_tags?: unknown };
  return Object(tags) as Record<string, unknown>;
}

function carried(action: string, claims: Record<string, unknown>): string {
  if (action === 'sts:TagSession') return `The token carries session tags (${Object.keys(tagsOf(claims)).join(', ')}).`;
  if (action === 'sts:SetSourceIdentity') {
    return `The token carries a source identity (${claims['https://aws.amazon.com/source_identity']}).`;
  }
  return 'The token asks for it.';
}
