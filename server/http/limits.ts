import { rateLimit } from 'express-rate-limit';
import { Problem } from '../problem.ts';
import { sendProblem } from './problems.ts';

/**
 * At most so many requests a minute from one address. The count is this process's alone: it keeps a flood out, it is no
 * security boundary (codes have 130 bits and more).
 */
export function perMinute(limit: number) {
  return rateLimit({
    windowMs: 60_000,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (_request, response) =>
      sendProblem(
        response,
        new Problem(429, 'too-many-requests', 'Too many requests', 'Wait a minute, then try again.'),
      ),
  });
}
