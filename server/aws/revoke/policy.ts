import { hash } from '../../secrets.ts';
import type { Document } from '../template/policies.ts';
import type { Revocation } from './revocation.ts';

/**
 * The policy that denies the credentials. All formats print it. It is AWS's own AWSRevokeOlderSessions (IAM user guide, "Revoke IAM role
 * temporary security credentials"), limited to one person: AWS keeps the source identity through every role that is assumed with it, and
 * compares it exactly.
 */
export function denyPolicy({ email, issuedBefore }: Pick<Revocation, 'email' | 'issuedBefore'>): Document {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: {
          StringEquals: { 'aws:SourceIdentity': email },
          DateLessThan: { 'aws:TokenIssueTime': isoSeconds(issuedBefore) },
        },
      },
    ],
  };
}

/**
 * The policy's name: the same for a person each time, so that a later revocation replaces an earlier one, and another person's stays.
 * IAM takes 128 characters of `[\w+=,.@-]`; an address has at most 64 of them.
 */
export const policyName = (email: string) => `VouchRevoke-${email}`;

/** A short name for what takes letters and digits only: the same for an address or a role each time. */
export const shortName = (text: string) =>
  hash(text)
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 10)
    .toLowerCase();

/** 2026-11-30T10:48:00Z, as AWS writes it. */
export const isoSeconds = (at: number) => new Date(at).toISOString().replace('.000', '');
