import { type Asked, wrongWith } from './ask.ts';
import { overlapping, type StsCall } from './sts-calls.ts';
import type { World } from './world.ts';

/** No request waits longer, in milliseconds; that much is promised. */
export const promised = 20_000;

/** A stretch of time, by the wall clock, in milliseconds. */
export interface Span {
  from: number;
  to: number;
}

/** What happened while there was chaos. */
export interface Story {
  begun: number;
  asked: readonly Asked[];
  calls: readonly StsCall[];
  /** While the agent or its session was being replaced, so that there may have been none. */
  away: readonly Span[];
  /** While nobody was signed in for sure. */
  signedOut: readonly Span[];
}

/** How long what was on its way when a session ended may take to arrive, in milliseconds. */
const onItsWay = 1000;

const meets = ({ at, until }: Asked, { from, to }: Span) => at <= to && until >= from;

/** Everything in a story that must never be, in words. */
export function violations(world: World, { begun, asked, calls, away, signedOut }: Story): string[] {
  const seconds = (at: number) => `${((at - begun) / 1000).toFixed(2)} s`;
  const tell = (one: Asked, why: string) =>
    `${seconds(one.at)}: ${one.way} for ${one.role.profile}, after ${Math.round(one.waited)} ms: ${why}`;

  /** There may be no agent while it is replaced, no session when there is none; server and AWS may be down at any time. */
  const isExcused = (one: Asked) => {
    const code = one.refused?.exitCode;
    return code === 4 || ((code === 3 || code === undefined) && away.some((span) => meets(one, span)));
  };
  const faultsOf = (one: Asked) => [
    wrongWith(world, one),
    // The helper asks the same as `git` does; how long its processes take to start on a busy machine is not promised.
    one.way !== 'script' && one.waited > promised ? 'it waited too long' : undefined,
    one.given && signedOut.some(({ from, to }) => one.at > from && one.until < to)
      ? 'credentials were given while nobody was signed in'
      : undefined,
    one.refused && !isExcused(one) ? JSON.stringify(one.refused) : undefined,
  ];
  return [
    ...asked.flatMap((one) => faultsOf(one).flatMap((fault) => (fault === undefined ? [] : [tell(one, fault)]))),
    ...overlapping(calls).map(
      ([first, second]) =>
        `two STS calls at once for ${first.role}: ${seconds(first.from)} to ${seconds(first.to)}, and ${seconds(second.from)}`,
    ),
    ...calls
      .filter(({ from }) => signedOut.some((span) => from > span.from + onItsWay && from < span.to))
      .map(({ role, from }) => `${seconds(from)}: STS was called for ${role} while nobody was signed in`),
  ];
}
