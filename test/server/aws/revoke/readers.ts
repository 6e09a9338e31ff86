import type { Account } from '../../../aws/accounts.ts';
import { createStack } from '../../../aws/cloudformation.ts';
import { hclValue, runScript } from '../template/readers.ts';

/** Applies what was printed to an account of the local AWS, as its administrator would. */
export type Apply = (printed: string, account: Account) => void;

/** The ways to apply each format. @param folder where the stand-in for the AWS CLI may be */
export const appliers = (folder: string): [format: string, apply: Apply][] => [
  ['cloudformation', (printed, account) => void createStack(account, printed)],
  ['terraform', applyTerraform],
  ['cli', (printed, account) => applyScript(printed, folder, account)],
];

function applyTerraform(printed: string, account: Account): void {
  const block = /^resource "aws_iam_role_policy" "vouch_revoke_\w+" \{\n([\s\S]*?)^\}$/m.exec(printed)?.[1] ?? '';
  const argument = (name: string) => new RegExp(`^ {2}${name} += (.*)$`, 'm').exec(block)?.[1] ?? '';
  const [, roles = ''] = /^toset\((.*)\)$/.exec(argument('for_each')) ?? [];
  const [, policy = ''] = /^ {2}policy = jsonencode\(([\s\S]*)\)$/m.exec(block) ?? [];
  if (argument('role') !== 'each.value') throw new Error('the policy is not embedded in each role');
  for (const role of hclValue(roles)) {
    account.putRolePolicy(role, hclValue(argument('name')), hclValue(policy));
  }
}

/** Runs the script, and puts the policies that it puts. */
export function applyScript(printed: string, folder: string, account: Account): void {
  const { code, stderr, calls } = runScript(printed, folder, account.id);
  if (code !== 0) throw new Error(`the script ended with ${code}\n${stderr}`);
  for (const { role, name, document } of policiesPut(calls)) account.putRolePolicy(role, name, JSON.parse(document));
}

/** What the AWS CLI was told to put. */
export function policiesPut(calls: string[][]): { role: string; name: string; document: string }[] {
  return calls.flatMap(([service, command, role = '', ...more]) => {
    if (service === 'sts') return [];
    const [policyName, name = '', policyDocument, document = '', ...rest] = more;
    const known =
      role.startsWith('--role-name=') && policyName === '--policy-name' && policyDocument === '--policy-document';
    if (service !== 'iam' || command !== 'put-role-policy' || !known || rest.length > 0) {
      throw new Error(`this is not a call to put a policy: ${[service, command, role, ...more].join(' ')}`);
    }
    return [{ role: role.slice('--role-name='.length), name, document }];
  });
}
