import type { RequestHandler } from 'express';
import type { Context } from '../context.ts';
import { checkReadable, checkWritable } from '../store/health.ts';
import { version } from '../version.ts';

/** Milliseconds for which an answer is good: strangers ask too, and each write waits for the disk. */
const KEPT_MS = 2_000;

/** For whoever restarts what hangs: 200 while the server and its database answer. Whether it can do its work says /readyz. */
export function healthz(context: Context): RequestHandler {
  return async (_request, response) => {
    await checkReadable(context.store);
    response.set('Cache-Control', 'no-store').json({ status: 'ok' });
  };
}

/**
 * For load balancers and supervisors: 200 while the server can do its work, which is to write into the database that is at its
 * path; 503 when the disk is full, the file gone or locked by another program.
 */
export function readyz(context: Context): RequestHandler {
  let attempt: Promise<void> | undefined;
  // Of an attempt under way, never; by a clock that nobody sets.
  let staleAt = Number.POSITIVE_INFINITY;
  const tried = () => {
    staleAt = performance.now() + KEPT_MS;
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
