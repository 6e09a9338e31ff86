import { Problem } from '../../problem/problem.ts';
import { keyLabel } from '../../text/key-label.ts';
import { clockTime, duration } from '../../text/time.ts';
import type { Check, Finding } from '../check.ts';
import { problemAsFinding } from '../problem-as-finding.ts';

/** With less time left than this, in milliseconds, the session's end is about to interrupt the person's work. */
const soon = 15 * 60_000;

/** A person is signed in, and stays so for a while. */
export const session: Check = {
  id: 'session',
  title: 'Session',
  needs: () => ['agent'],
  run: async ({ facts }) => {
    const found = facts.agent?.session ?? null;
    if (found === null) {
      const ended = Problem.fromJSON(facts.agent?.ended);
      if (ended?.reason !== undefined) {
        return { says: 'ended', findings: [problemAsFinding('session.ended', ended)], data: { reason: ended.reason } };
      }
      const none: Finding = {
        id: 'session.none',
        severity: 'trouble',
        what: 'You are not signed in.',
        steps: ['Run `vouch login`.'],
      };
      return { says: 'none', findings: [none] };
    }
    const until = new Date(found.expiresAt);
    const left = until.getTime() - Date.now();
    const findings: Finding[] = [];
    if (left < soon) {
      findings.push({
        id: 'session.ends-soon',
        severity: 'warning',
        what: `Your session ends in ${duration(left)}.`,
        steps: ['Run `vouch login` for another one.'],
      });
    }
    return {
      says: `${found.email}, ${keyLabel(found.key)}, ${duration(left)} left (until ${clockTime(until, new Date())})`,
      findings,
      data: { email: found.email, expiresAt: found.expiresAt, issuer: found.issuer },
    };
  },
};
