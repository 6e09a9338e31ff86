import { type Attempt, flawIn } from './attempt.ts';
import { overlapping, type StsCall } from './sts-calls.ts';
import type { World } from './world.ts';

/** No request waits longer, in milliseconds: the agent promises this. */
export const longestWait = 20_000;

/** A stretch of time, by the wall clock, in milliseconds. */
export interface Span {
  from: number;
  to: number;
}

/** What happened while there was chaos. */
export interface Story {
  begun: number;
  attempts: readonly Attempt[];
  calls: readonly StsCall[];
  /** When the agent or its session was being replaced, so that there may have been none. */
  unsettled: readonly Span[];
  /** When certainly nobody was signed in. */
  signedOut: readonly Span[];
}

/** How long a call may take to reach STS if it was sent before the session ended, in milliseconds. */
const inFlight = 1000;

const meets = ({ at, until }: Attempt, { from, to }: Span) => at <= to && until >= from;

/** Everything in a story that must never happen, in words. */
export function violations(world: World, { begun, attempts, calls, unsettled, signedOut }: Story): string[] {
  const seconds = (at: number) => `${((at - begun) / 1000).toFixed(2)} s`;
  const tell = (one: Attempt, why: string) =>
    `${seconds(one.at)}: ${one.channel} for ${one.role.profile}, after ${Math.round(one.waited)} ms: ${why}`;

  /** Server and AWS may be unreachable at any time; agent and session may be missing only while they are being replaced. */
  const isExcused = (one: Attempt) => {
    const category = one.refused?.category;
    if (category === 'unreachable') return true;
    return (category === 'no-session' || category === undefined) && unsettled.some((span) => meets(one, span));
  };
  const faultsOf = (one: Attempt) => [
    flawIn(world, one),
    // The script asks the agent the same as `git` does; no time limit is promised for starting its processes.
    one.channel !== 'script' && one.waited > longestWait ? 'it waited too long' : undefined,
    one.given && signedOut.some(({ from, to }) => one.at > from && one.until < to)
      ? 'credentials were given while nobody was signed in'
      : undefined,
    one.refused && !isExcused(one) ? JSON.stringify(one.refused) : undefined,
  ];
  return [
    ...attempts.flatMap((one) => faultsOf(one).flatMap((fault) => (fault === undefined ? [] : [tell(one, fault)]))),
    ...overlapping(calls).map(
      ([first, second]) =>
        `two STS calls at once for ${first.role}: ${seconds(first.from)} to ${seconds(first.to)}, and ${seconds(second.from)}`,
    ),
    ...calls
      .filter(({ from }) => signedOut.some((span) => from > span.from + inFlight && from < span.to))
      .map(({ role, from }) => `${seconds(from)}: STS was called for ${role} while nobody was signed in`),
  ];
}
