import { rateLimit } from 'express-rate-limit';
import type { Context } from '../context.ts';
import { clientOf } from '../network/client-of.ts';
import { Problem } from '../problem/problem.ts';
import { sendProblem } from './problem-handler.ts';
import { RateLimitStore } from './rate-limit-store.ts';
import { SharedRateLimitStore } from './shared-rate-limit-store.ts';

/**
 * Limits the requests per minute from one address, as client-address.ts found it. This keeps floods out, but is not a security boundary
 * (codes have 130 bits and more). Instances that share PostgreSQL count together; with SQLite there is one.
 *
 * @param name the limit's own: it counts apart from others
 */
export function perMinute({ config, store, now }: Context, name: string, limit: number) {
  return rateLimit({
    windowMs: 60_000,
    limit,
    store:
      config.database.kind === 'sqlite'
        ? new RateLimitStore()
        : new SharedRateLimitStore(store, name, limit, () => now()),
    keyGenerator: (request) => clientOf(String(request.ip)),
    // The library's checks look at how Express finds the address, which we do not use.
    validate: false,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (_request, response) =>
      sendProblem(
        response,
        new Problem({ kind: 'too-many-requests', what: 'Too many requests', fix: 'Wait a minute, then try again.' }),
      ),
  });
}
