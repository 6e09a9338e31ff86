import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { Problem } from '../problem/problem.ts';
import { sendProblem } from './problem-handler.ts';
import { RateLimitStore } from './rate-limit-store.ts';

/** A client with one IPv6 address has the 2^64 around it (RFC 6177), so these count as one. */
const IPV6_SUBNET = 64;

/**
 * Limits the requests per minute from one address, as client-address.ts found it. Each process counts for itself: this keeps floods out,
 * but is not a security boundary (codes have 130 bits and more).
 */
export function perMinute(limit: number) {
  return rateLimit({
    windowMs: 60_000,
    limit,
    store: new RateLimitStore(),
    keyGenerator: (request) => ipKeyGenerator(String(request.ip), IPV6_SUBNET),
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
