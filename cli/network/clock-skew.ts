import { Problem } from '../problem/problem.ts';
import { count } from '../text/count.ts';

/** A smaller difference, in milliseconds, does no harm: DPoP proofs and AWS's signatures tolerate minutes. */
const harmlessSkew = 120_000;

/**
 * Whether a server's clock and ours are so far apart that our signatures must be refused (RFC 9449, section 11.1; HTTP's Date
 * header, RFC 9110, section 6.6.1).
 *
 * @param date the Date header of the server's answer
 * @param now our wall clock, in milliseconds since 1970
 * @param whose the server clock's owner, such as "AWS's"
 * @returns the Problem `clock-skew`; undefined when the clocks agree or the server sends no date
 */
export function clockSkew(date: string | null | undefined, now: number, whose = "the server's"): Problem | undefined {
  const theirs = Date.parse(date ?? '');
  const ahead = now - theirs;
  if (Number.isNaN(theirs) || Math.abs(ahead) < harmlessSkew) return undefined;
  const minutes = Math.round(Math.abs(ahead) / 60_000);
  return new Problem({
    kind: 'clock-skew',
    what: `The clock of this machine is ${count(minutes, 'minute')} ${ahead > 0 ? 'ahead of' : 'behind'} ${whose}.`,
    why: 'What it signs is refused as too old, or as not valid yet.',
    fix: 'Set the clock (turn on its synchronisation), then try again.',
  });
}
