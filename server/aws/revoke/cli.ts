import { shellWord } from '../shell-word.ts';
import { denyPolicy, isoSeconds, policyName } from './policy.ts';
import { accountsOf, type Revocation } from './revocation.ts';

/**
 * A shell script of AWS CLI commands, for all accounts: it does what belongs to the account of the AWS CLI's credentials. A role that AWS
 * refuses to change does not keep it from the others.
 */
export function cli(revocation: Revocation): string {
  const { email, issuedBefore, deletableAt, roles } = revocation;
  const accounts = accountsOf(revocation);
  const cases = accounts.map((account) => {
    const names = new Set(roles.filter((role) => role.account === account).map(({ name }) => shellWord(name)));
    return `${account}) set -- ${[...names].join(' ')} ;;`;
  });
  return `#!/bin/sh
# Denies ${email} all that AWS issued before ${isoSeconds(issuedBefore)}.
# Made by vouch-server aws-revoke; runs with the AWS CLI's own credentials. ${
    accounts.length === 1
      ? `For AWS account ${accounts}.`
      : `Run it once with credentials of each account:
# ${accounts.join(', ')}.`
  }
# What it denies has ended by ${isoSeconds(deletableAt)}. Then you may delete the policy from each role:
#   aws iam delete-role-policy --role-name=ROLE --policy-name ${shellWord(policyName(email))}
set -u
export AWS_PAGER=

policy=${shellWord(JSON.stringify(denyPolicy(revocation), null, 2))}

account=$(aws sts get-caller-identity --query Account --output text) || exit 1
case $account in
${cases.join('\n')}
*)
  echo "The AWS CLI's credentials are for account $account, not for ${accounts.join(' or ')}. Nothing was changed." >&2
  exit 1
  ;;
esac

failed=0
for role in "$@"; do
  if aws iam put-role-policy --role-name="$role" --policy-name ${shellWord(policyName(email))} --policy-document "$policy"; then
    echo "Denied in the role $role of account $account"
  else
    echo "NOT denied in the role $role of account $account" >&2
    failed=1
  fi
done
exit $failed
`;
}
