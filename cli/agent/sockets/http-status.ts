import type { Category } from '../../problem/category.ts';
import type { Problem } from '../../problem/problem.ts';

const statuses: Record<Category, number> = {
  usage: 400,
  failed: 400,
  'no-session': 401,
  refused: 403,
  unreachable: 502,
};

/** The status of HTTP that a problem has on agent.sock (RFC 9110, section 15). */
export function statusOf({ kind, category }: Problem): number {
  if (kind === 'internal-error') return 500;
  return kind === 'agent-leaving' ? 503 : statuses[category];
}
