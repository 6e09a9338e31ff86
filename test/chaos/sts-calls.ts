import { decodeJwt } from 'jose';
import type { Intercept } from '../aws/intercept.ts';

/** A call to STS. Times are by the wall clock, in milliseconds. */
export interface StsCall {
  role: string;
  /** When the caller's session began (`auth_time`): this distinguishes one agent's session from the next. */
  session: number;
  from: number;
  to: number;
  /** Whether the answer was sent completely; otherwise the caller had hung up. */
  answered: boolean;
}

/** Records the calls to the local STS. */
export function watchSts(): { calls: StsCall[]; intercept: Intercept } {
  const calls: StsCall[] = [];
  return {
    calls,
    intercept: ({ form, response }) => {
      const token = decodeJwt(form?.get('WebIdentityToken') ?? '');
      const call: StsCall = {
        role: form?.get('RoleArn') ?? '',
        session: Number(token.auth_time),
        from: Date.now(),
        to: Number.POSITIVE_INFINITY,
        answered: false,
      };
      calls.push(call);
      response.once('finish', () => {
        call.answered = true;
      });
      response.once('close', () => {
        call.to = Date.now();
      });
      return undefined;
    },
  };
}

/**
 * Pairs of calls by one session for one role that ran at the same time. When a caller hangs up and calls again, the two events
 * may arrive here in either order, so an overlap shorter than a moment does not count.
 *
 * @param moment milliseconds
 */
export function overlapping(calls: readonly StsCall[], moment = 1000): [StsCall, StsCall][] {
  const found: [StsCall, StsCall][] = [];
  for (const [index, first] of calls.entries()) {
    for (const second of calls.slice(index + 1)) {
      if (second.from >= first.to) continue;
      if (second.role !== first.role || second.session !== first.session) continue;
      if (!first.answered && first.to - second.from < moment) continue;
      found.push([first, second]);
    }
  }
  return found;
}
