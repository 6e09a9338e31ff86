import { levelsFrom } from '../../fido-metadata/levels.ts';
import type { RoleTemplate } from './role-template.ts';

/** A JSON document for IAM. All formats print the same documents, so that they cannot differ. */
export type Document = Record<string, unknown>;

/** The OIDC provider's ARN, in which IAM puts the issuer without its scheme. */
export function providerArn({ partition, account, issuer }: RoleTemplate): string {
  return `arn:${partition}:iam::${account}:oidc-provider/${withoutScheme(issuer)}`;
}

export function roleArn({ partition, account, roleName }: RoleTemplate): string {
  return `arn:${partition}:iam::${account}:role/${roleName}`;
}

/**
 * The trust policy: who may assume the role. The three actions are in one statement, because a token with tags and a source identity
 * needs all of them (IAM user guide, "Pass session tags in AWS STS", and "Monitor and control actions taken with assumed roles").
 */
export function trustPolicy(template: RoleTemplate): Document {
  const provider = withoutScheme(template.issuer);
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: providerArn(template) },
        Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'],
        Condition: {
          StringEquals: {
            [`${provider}:aud`]: literal(template.audience),
            // A policy variable, so that people can name the session only after their own address.
            'sts:RoleSessionName': `\${${provider}:sub}`,
            // The token has this tag only if the level is proven.
            ...(template.keyLevel === undefined
              ? {}
              : { 'aws:RequestTag/vouch:KeyLevel': levelsFrom(template.keyLevel) }),
          },
          // `*` cannot reach past the `@`: the server's addresses have exactly one.
          StringLike: { [`${provider}:sub`]: template.domains.map((domain) => `*@${domain}`) },
          // The token must name this very role: a token for another role, or for none, is refused.
          Bool: { 'sts:RoleAuthorizedByIdp': 'true' },
        },
      },
    ],
  };
}

/** The permission policy: what the role may do. */
export function permissionPolicy({ repositories }: RoleTemplate): Document {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['codecommit:GitPull', 'codecommit:GitPush'], Resource: [...repositories] }],
  };
}

/** The permission policy's name in every format. */
export const permissionPolicyName = 'CodeCommit';

/** The role's description in IAM. */
export function description({ server, domains }: RoleTemplate): string {
  return `Git with CodeCommit for ${domains.map((domain) => `@${domain}`).join(' ')} through Vouch at ${server}`.slice(
    0,
    1000,
  );
}

/** Text in which IAM must see no policy variable (IAM user guide, "Policy variables", special characters). */
const literal = (text: string) => text.replaceAll('${', () => `\${$}{`);

/** With its path, as IAM writes an issuer in ARNs, condition keys and policy variables. */
const withoutScheme = (issuer: string) => issuer.replace(/^https?:\/\//, '');
