import type { RequestHandler } from 'express';
import type { Context } from '../context.ts';
import { checkReadable, checkWritable } from '../store/health.ts';
import { version } from '../version.ts';

/** How long an answer is reused, in milliseconds: strangers ask too, and each write waits for the disk. */
const REUSE_MS = 2_000;

/** For supervisors that restart a hung process: 200 while the server and its database answer. `/readyz` answers whether it can work. */
export function healthz(context: Context): RequestHandler {
  return async (_request, response) => {
    await checkReadable(context.store);
    response.set('Cache-Control', 'no-store').json({ status: 'ok' });
  };
}

/**
 * For load balancers and supervisors: 200 while the server can write to its database; 503 when the disk is full, the database is
 * gone, or another program has locked it.
 */
export function readyz(context: Context): RequestHandler {
  let attempt: Promise<void> | undefined;
  // By a monotonic clock. A running attempt is never stale.
  let staleAt = Number.POSITIVE_INFINITY;
  const tried = () => {
    staleAt = performance.now() + REUSE_MS;
  };
  return async (_request, response) => {
    if (attempt === undefined || performance.now() >= staleAt) {
      staleAt = Number.POSITIVE_INFINITY;
      attempt = checkWritable(context.store, context.now()).finally(tried);
    }
    await attempt;
    response.set('Cache-Control', 'no-store').json({ status: 'ok', version });
  };
}
