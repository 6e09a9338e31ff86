import type { VouchProfile } from '../aws/profiles.ts';
import type { Problem } from '../problem.ts';
import type { Finding } from './check.ts';
import { troubleOf } from './trouble.ts';

/** What a refusal is about, with what AWS says in the words of its API. */
interface Refusal {
  profile: VouchProfile;
  /** The token's. */
  claims: Record<string, unknown>;
  problem: Problem;
}

/**
 * Why AWS did not take the token for the role, as narrowly as AWS's words allow. Provider, signature, times and audience
 * list are looked at before the trust policy: a refusal by the policy says that these were right.
 */
export function explainRefusal({ profile, claims, problem }: Refusal): Finding {
  const { why } = problem;
  const provider = String(claims.iss).replace(/^https?:\/\//, '');
  const { account, partition, arn } = profile.role;
  const federated = `arn:${partition.id}:iam::${account}:oidc-provider/${provider}`;
  const template = 'The whole of it, ready to be used: `vouch-server aws-template`.';

  if (/No OpenIDConnect provider/i.test(why)) {
    return troubleOf('sts.provider-unknown', problem, {
      what: `AWS account ${account} does not know your Vouch server.`,
      why: [`It has no IAM OIDC provider ${federated}`],
      fix: [`Ask who runs the account to make one for ${claims.iss}, with the audience ${claims.aud}. ${template}`],
    });
  }
  if (/audience/i.test(said(why))) {
    return troubleOf('sts.audience', problem, {
      what: `AWS account ${account} knows your Vouch server, and not the audience of its tokens.`,
      why: [`The token's audience is ${claims.aud}; the provider is ${federated}`],
      fix: [`Ask who runs the account to add the audience ${claims.aud} to that provider. ${template}`],
    });
  }
  if (/expired|issued in the future|not valid yet|too old/i.test(said(why))) {
    return troubleOf('sts.clock-skew', problem, {
      what: "AWS and your Vouch server do not agree about the time: AWS does not take the token's times.",
      fix: ["Ask who runs the Vouch server to check its clock; check this machine's too (`date -u`)."],
    });
  }
  const action = /not authorized to perform:? (sts:\w+)/i.exec(why)?.[1];
  if (action !== undefined && action !== 'sts:AssumeRoleWithWebIdentity') {
    return troubleOf('sts.trust-action', problem, {
      what: `The trust policy of the role does not allow ${action}.`,
      why: [`The role is ${arn}; its other conditions were met.`, carried(action, claims)],
      fix: [`Ask who runs the account to add ${action} to the actions of the role's trust policy. ${template}`],
    });
  }
  if (action !== undefined) {
    return troubleOf('sts.trust', problem, {
      what: 'The role does not trust you: its trust policy refuses, or there is no such role.',
      why: [
        `The role is ${arn}`,
        'The token itself was taken: issuer, signature, times, and the audience list of the provider are right.',
        'What the documented trust policy asks for, and what you bring:',
        ...conditions(claims, provider, federated),
      ],
      fix: [`Ask who runs the account to compare these lines with the role's trust policy. ${template}`],
    });
  }
  return troubleOf('sts.refused', problem);
}

/** What AWS itself said, without our words around it. */
function said(why: string): string {
  return /AWS says: (.*)$/s.exec(why)?.[1] ?? '';
}

/** Each condition of the documented trust policy, with the value that this token and this session have for it. */
function conditions(claims: Record<string, unknown>, provider: string, federated: string): string[] {
  const roles = claims['https://aws.amazon.com/roles'];
  return [
    `Principal.Federated: ${federated}`,
    `${provider}:aud = ${claims.aud}`,
    `${provider}:sub = ${claims.sub}`,
    `sts:RoleSessionName = ${claims.sub} (equal to sub, as \${${provider}:sub} asks)`,
    `sts:RoleAuthorizedByIdp = ${Array.isArray(roles) && roles.length > 0} (the token names this role)`,
  ];
}

function carried(action: string, claims: Record<string, unknown>): string {
  if (action === 'sts:TagSession') return 'The token carries session tags (vouch:Email, vouch:Domain).';
  if (action === 'sts:SetSourceIdentity') {
    return `The token carries a source identity (${claims['https://aws.amazon.com/source_identity']}).`;
  }
  return 'The token asks for it.';
}
