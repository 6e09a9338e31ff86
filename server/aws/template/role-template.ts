/** AWS's partitions that have CodeCommit: the second part of every ARN. */
export const partitions = ['aws', 'aws-us-gov', 'aws-cn', 'aws-eusc'] as const;

/** A role for developers and the trust that leads to it, checked: nothing in it is checked again later. */
export interface RoleTemplate {
  /** The server's issuer URL, without a trailing slash. */
  issuer: string;
  /** The audience of the server's tokens for AWS. */
  audience: string;
  partition: (typeof partitions)[number];
  /** 12 digits. */
  account: string;
  roleName: string;
  /** The domains whose addresses are let in, in lower case. */
  domains: readonly string[];
  /** ARNs of CodeCommit repositories of this account; `*` and `?` stand for any characters and any one, as in IAM. */
  repositories: readonly string[];
  /** Whether the account has the OIDC provider already, so that only the role is to be made. */
  existingProvider: boolean;
}

export type Format = 'cloudformation' | 'terraform' | 'cli';
