import { clockSkew } from '../network/clock-skew.ts';
import type { Finding } from './check.ts';
import { troubleOf } from './trouble.ts';

/**
 * From here on what this machine signs is refused, in milliseconds: by AWS (IAM User Guide, "Elements of an AWS API request
 * signature") and by the Vouch server (its DPoP proofs) alike.
 */
const limit = 5 * 60_000;

/**
 * What to know of a clock that differs from ours: a trouble from the limit on, before it a warning, as all works still.
 *
 * @param id the finding's name for scripts
 * @param whose such as "AWS's"
 * @param date the header Date of the answer
 */
export function clockFindings(id: string, whose: string, date: string | null | undefined, now = Date.now()): Finding[] {
  const skew = clockSkew(date, now, whose);
  if (skew === undefined) return [];
  if (Math.abs(now - Date.parse(date ?? '')) >= limit) return [troubleOf(id, skew)];
  return [
    {
      id,
      severity: 'warning',
      what: skew.what,
      why: ['It works still; from 5 minutes on what this machine signs is refused.'],
      steps: ['Set the clock (turn on its synchronisation).'],
    },
  ];
}
