import type { Request, Response } from 'express';
import type { RequestSource } from '../audit/audit.ts';
import { sourceOf } from '../audit/request-source.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { sessionOver } from '../sessions/session-over.ts';
import { findActiveSession } from '../sessions/sessions.ts';
import type { StoreTransaction } from '../store/store.ts';
import { findWebSession, webSessionOver } from '../web-sessions/web-sessions.ts';

/** How old a touch may be for a sensitive change, in milliseconds. */
const FRESH_MS = 5 * 60_000;

/** A person who asks for something of their own, from a terminal (the agent's session) or from a browser (a web session). */
export interface Caller {
  personId: string;
  email: string;
  /** The key that was touched last in this session. */
  keyId: string;
  /** When it was touched, in milliseconds since the epoch. */
  touchedAt: number;
  session: { kind: 'agent' | 'web'; id: string };
  from: RequestSource;
}

/** For routes behind requireSession. */
export function agentCaller(request: Request, response: Response): Caller {
  const { id, personId, email, keyId, authTime } = response.locals.session;
  return { personId, email, keyId, touchedAt: authTime, session: { kind: 'agent', id }, from: sourceOf(request) };
}

/** For routes behind requireWebSession. */
export function webCaller(request: Request, response: Response): Caller {
  const { id, personId, email, keyId, touchedAt } = response.locals.webSession;
  return { personId, email, keyId, touchedAt, session: { kind: 'web', id }, from: sourceOf(request) };
}

/**
 * Makes a change of the caller's, in a transaction. Each change needs the check: the session may have ended since the request came in.
 *
 * @param change gets the time of the change, in milliseconds since the epoch
 * @throws Problem `session-over` or `web-session-over`, or as the change
 */
export function changeAs<Result>(
  context: Context,
  caller: Caller,
  change: (transaction: StoreTransaction, now: number) => Promise<Result>,
): Promise<Result> {
  return context.store.transaction().execute(async (transaction) => {
    const now = context.now();
    await checkCaller(context, transaction, now, caller);
    return change(transaction, now);
  });
}

async function checkCaller(
  context: Context,
  transaction: StoreTransaction,
  now: number,
  { session, email }: Caller,
): Promise<void> {
  if (session.kind === 'agent') {
    if ((await findActiveSession(transaction, session.id, now)) !== undefined) return;
    throw await sessionOver(context, transaction, { id: session.id, email }, now);
  } else {
    if ((await findWebSession(transaction, session.id, now)) === undefined) throw webSessionOver();
  }
}

/**
 * Checks that the caller has touched a key within the last minutes. A touch from the future is none: the clock was set back.
 *
 * @throws Problem `touch-needed`
 */
export function checkTouch(now: number, { touchedAt, session }: Caller): void {
  if (Math.abs(now - touchedAt) <= FRESH_MS) return;
  throw new Problem({
    kind: 'touch-needed',
    what: 'This needs a touch of your key from the last 5 minutes',
    fix: session.kind === 'agent' ? 'Run `vouch login`, then try again.' : 'Touch your key, then try again.',
  });
}
