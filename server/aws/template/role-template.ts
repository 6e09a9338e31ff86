import type { Level } from '../../fido-metadata/levels.ts';

/** AWS's partitions that have CodeCommit: the second part of every ARN. */
export const partitions = ['aws', 'aws-us-gov', 'aws-cn', 'aws-eusc'] as const;

/** A role for developers, and who may assume it. All values have been checked; nothing checks them again. */
export interface RoleTemplate {
  /** The server's own issuer URL, where people sign in. */
  server: string;
  /** The issuer that AWS trusts, without a trailing slash. It may have a path. */
  issuer: string;
  /** The audience of the server's tokens for AWS. */
  audience: string;
  partition: (typeof partitions)[number];
  /** 12 digits. */
  account: string;
  roleName: string;
  /** People with an address at these domains may assume the role; in lower case. */
  domains: readonly string[];
  /** ARNs of this account's CodeCommit repositories; `*` stands for any characters and `?` for any single one, as in IAM. */
  repositories: readonly string[];
  /** Whether the account already has the OIDC provider, so that only the role must be made. */
  existingProvider: boolean;
  /** The lowest FIDO certification level of the key; undefined for any key. */
  keyLevel: Level | undefined;
  /** The longest that the role gives credentials for, in seconds. */
  maxSessionSeconds: number;
}

export type Format = 'cloudformation' | 'terraform' | 'cli';
