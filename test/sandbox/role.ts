import type { Account, RoleOptions } from '../aws/accounts.ts';

/**
 * The role that docs/aws.md tells the administrator to make: whom AWS trusts, and what they may do.
 *
 * @param issuer the Vouch server's URL, which is the audience too
 */
export function developerRole(account: Account, issuer: string, region: string, repository: string): RoleOptions {
  const provider = new URL(issuer).host;
  return {
    name: 'VouchDeveloper',
    trustPolicy: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Federated: account.providerArn(issuer) },
          Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'],
          Condition: {
            StringEquals: { [`${provider}:aud`]: issuer, 'sts:RoleSessionName': `\${${provider}:sub}` },
            StringLike: { [`${provider}:sub`]: '*@example.com' },
            Bool: { 'sts:RoleAuthorizedByIdp': 'true' },
          },
        },
      ],
    },
    permissionPolicies: [
      {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['codecommit:GitPull', 'codecommit:GitPush'],
            Resource: `arn:aws:codecommit:${region}:${account.id}:${repository}`,
          },
        ],
      },
    ],
  };
}
