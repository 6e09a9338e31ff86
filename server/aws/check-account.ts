import { Problem } from '../problem/problem.ts';
import { shown } from '../text/shown.ts';

/**
 * Checks the option `--account`.
 *
 * @throws Problem `option-refused`
 */
export function checkAccount(account: string): void {
  if (/^\d{12}$/.test(account)) return;
  throw new Problem({
    kind: 'option-refused',
    what: `--account ${shown(account)} is not an AWS account's number.`,
    why: 'It has 12 digits, without hyphens.',
    fix: 'See it with: aws sts get-caller-identity --query Account --output text',
  });
}
