import type { Category } from '../problem/kinds.ts';

/** The HTTP status of each category of problem (RFC 9110, section 15; RFC 6585, section 4). */
export const STATUS: Record<Category, number> = {
  usage: 400,
  'no-session': 401,
  refused: 403,
  'not-found': 404,
  conflict: 409,
  over: 410,
  'too-long': 413,
  misdirected: 421,
  'too-many': 429,
  failed: 500,
  unreachable: 503,
};
