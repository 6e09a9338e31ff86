import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { Problem } from '../problem/problem.ts';
import { sendProblem } from './problem-handler.ts';
import { WindowStore } from './window-store.ts';

/** Who has one IPv6 address has the 2^64 beside it (RFC 6177): they count as one. */
const IPV6_SUBNET = 64;

/**
 * At most so many requests a minute from one address, as client-address.ts found it. The count is this process's alone: it keeps a
 * flood out, it is no security boundary (codes have 130 bits and more).
 */
export function perMinute(limit: number) {
  return rateLimit({
    windowMs: 60_000,
    limit,
    store: new WindowStore(),
    keyGenerator: (request) => ipKeyGenerator(String(request.ip), IPV6_SUBNET),
    // These look at Express's own way to find the address, which is not used.
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
