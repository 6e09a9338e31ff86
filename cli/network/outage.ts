import type { ProblemDetails } from '../problem/details.ts';
import { Problem } from '../problem/problem.ts';

/** A Problem that may soon pass: the server is down, or too busy. The same request is worth another try. */
export class Outage extends Problem {
  /** How long the server asked us to wait before the next try, in milliseconds; 0 when it gave no time. */
  readonly retryAfter: number;

  constructor(details: ProblemDetails, retryAfter = 0) {
    super({ ...details, category: 'unreachable' });
    this.retryAfter = retryAfter;
  }
}

/**
 * What the Retry-After header asks for (RFC 9110, section 10.2.3).
 *
 * @param now the wall clock, in milliseconds since 1970
 * @returns milliseconds; 0 when the header is missing or malformed
 */
export function readRetryAfter(header: string | null | undefined, now = Date.now()): number {
  const value = header?.trim() ?? '';
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return wait > 0 ? wait : 0;
}
