import { serverKind } from '../problem/kinds.ts';
import { Problem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';

/**
 * A Vouch server's refusal in its own words (RFC 9457): its title says what happened, its detail what to do.
 *
 * @param said the answer's body
 * @returns undefined when it is none of a Vouch server's, but of a proxy, say
 */
export function serverRefusal(status: number, said: unknown): Problem | undefined {
  const { type, title, detail } = Object(said) as Record<string, unknown>;
  const [, kind] = /^urn:vouch:problem:([\w-]{1,64})$/.exec(String(type)) ?? [];
  if (kind === undefined) return undefined;
  const sentence = printable(
    typeof title === 'string' && title !== '' ? title : `It answered with status ${status}`,
    300,
  );
  return new Problem({
    ...serverKind(kind),
    what: /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`,
    fix: printable(typeof detail === 'string' && detail !== '' ? detail : 'Try again.', 300),
    category: isPassing(status) ? 'unreachable' : 'refused',
  });
}

/** Whether a status says that the server cannot answer now, and may in a moment. */
export function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}
