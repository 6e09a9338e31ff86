import { decodeJwt } from 'jose';
import type { Intercept } from '../aws/intercept.ts';

/** A call of STS that was under way for a while. Times are by the wall clock, in milliseconds. */
export interface StsCall {
  role: string;
  /** When the session began that it was made with, which tells one agent's session from the next one's. */
  session: number;
  from: number;
  to: number;
  /** Whether the answer went out whole; else the caller had hung up. */
  answered: boolean;
}

/** Watches who asks STS for what. */
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
 * Calls of one session for one role that ran at once. A caller that hangs up and asks again is told here in any order within a
 * moment, so that this is none.
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
