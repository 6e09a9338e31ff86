import { Problem } from '../../problem/problem.ts';
import type { Store } from '../../store/store.ts';
import { shown } from '../../text/shown.ts';
import { checkAccount } from '../check-account.ts';
import { LONGEST_SECONDS, REDEEMABLE_MS } from '../lifetimes.ts';
import { rolesUsed } from '../outstanding.ts';
import { isRoleArn } from '../role-arn.ts';

/** What is denied to whom: all that AWS issued to one person before a time. */
export interface Revocation {
  /** In lower case, as in AWS's source identity. */
  email: string;
  /** Credentials issued before this are denied; milliseconds since the epoch, in whole seconds. */
  issuedBefore: number;
  /** When the last of them will have ended, so that the policy can be deleted; milliseconds since the epoch. */
  deletableAt: number;
  /** In the order of their ARNs. */
  roles: readonly DeniedRole[];
}

export interface DeniedRole {
  arn: string;
  /** 12 digits. */
  account: string;
  /** Without the path, as IAM's calls take it: an account has each name once. */
  name: string;
  /** When the server issued its last token for the role; null for a role that an option names. */
  lastTokenAt: number | null;
}

/**
 * Finds what must be denied to a person: their roles of the last 12 hours, the longest that a role gives credentials for, and what
 * an option names.
 *
 * @param email in lower case
 * @param named ARNs of further roles, as they were written: roles that were assumed through others, which the server does not know
 * @param now milliseconds since the epoch
 * @throws Problem `option-refused` for an ARN that is not a role's
 */
export async function findRevocation(
  store: Store,
  email: string,
  named: readonly string[],
  now: number,
): Promise<Revocation> {
  const wrong = named.find((arn) => !isRoleArn(arn));
  if (wrong !== undefined) {
    throw new Problem({
      kind: 'option-refused',
      what: `--role ${shown(wrong)} is not the ARN of a role.`,
      why: 'A role may be in any account, so its name is not enough.',
      fix: 'It looks like arn:aws:iam::123456789012:role/Payments.',
    });
  }
  // A token that is out can be redeemed until then. A person who was shut out first gets no more. AWS looks only at the time of the
  // credentials: nothing else tells those of such a token from those of a later sign-in.
  const issuedBefore = Math.ceil((now + REDEEMABLE_MS) / 1000) * 1000;
  const used = await rolesUsed(store, email, now - REDEEMABLE_MS - LONGEST_SECONDS * 1000);
  const last = new Map<string, number | null>([
    ...named.map((arn): [string, null] => [arn, null]),
    ...used.map(({ arn, lastAt }): [string, number] => [arn, lastAt]),
  ]);
  return {
    email,
    issuedBefore,
    deletableAt: issuedBefore + LONGEST_SECONDS * 1000,
    roles: [...last.keys()].sort().map((arn) => ({ ...parts(arn), lastTokenAt: last.get(arn) ?? null })),
  };
}

/**
 * Keeps the roles of one account.
 *
 * @param account as it was written; by default the account is not limited
 * @throws Problem `option-refused` when it is no account, or all the roles are of others
 */
export function ofAccount(revocation: Revocation, account: string | undefined): Revocation {
  if (account === undefined) return revocation;
  checkAccount(account);
  const roles = revocation.roles.filter((role) => role.account === account);
  if (roles.length === 0 && revocation.roles.length > 0) {
    throw new Problem({
      kind: 'option-refused',
      what: `--account ${account} has no role that is to be denied to ${revocation.email}.`,
      why: `Their roles are of ${accountsOf(revocation).join(', ')}.`,
      fix: 'Give one of these accounts.',
    });
  }
  return { ...revocation, roles };
}

/** The accounts of the roles, each once. */
export function accountsOf({ roles }: Pick<Revocation, 'roles'>): string[] {
  return [...new Set(roles.map(({ account }) => account))];
}

function parts(arn: string): Pick<DeniedRole, 'arn' | 'account' | 'name'> {
  return { arn, account: arn.split(':')[4] ?? '', name: arn.slice(arn.lastIndexOf('/') + 1) };
}
