import type { RequestHandler } from 'express';
import { version } from '../version.ts';
import type { Readiness } from './readiness.ts';

/**
 * For supervisors that restart a hung process: 200 while this one answers. It asks nothing else, because a restart mends no other
 * machine's database.
 */
export const healthz: RequestHandler = (_request, response) => {
  response.set('Cache-Control', 'no-store').json({ status: 'ok', version });
};

/**
 * For load balancers and alarms: 200 while the server can do its work, perhaps without an optional part; 503 when it cannot, or when it is
 * about to end.
 */
export function readyz(readiness: Readiness): RequestHandler {
  return async (_request, response) => {
    const { status, parts } = await readiness.report();
    response.set('Cache-Control', 'no-store');
    if (status === 'failing' || status === 'draining') response.status(503).set('Retry-After', '5');
    response.json({ status, version, parts });
  };
}
