import { clockSkew } from '../network/clock-skew.ts';
import type { Finding } from './check.ts';
import { problemAsFinding } from './problem-as-finding.ts';

/**
 * The clock difference, in milliseconds, at which this machine's signatures are refused: by AWS (IAM User Guide, "Elements of an AWS
 * API request signature") and by the Vouch server (DPoP proofs).
 */
const limit = 5 * 60_000;

/**
 * The finding about a clock that differs from ours. Below the limit it is a warning, because all still works.
 *
 * @param id the finding's name for scripts
 * @param whose such as "AWS's"
 * @param date the header Date of the answer
 */
export function clockFindings(id: string, whose: string, date: string | null | undefined, now = Date.now()): Finding[] {
  const skew = clockSkew(date, now, whose);
  if (skew === undefined) return [];
  if (Math.abs(now - Date.parse(date ?? '')) >= limit) return [problemAsFinding(id, skew)];
  return [
    {
      id,
      severity: 'warning',
      what: skew.what,
      why: ['It still works; from 5 minutes on, what this machine signs is refused.'],
      steps: ['Set the clock (turn on its synchronisation).'],
    },
  ];
}
