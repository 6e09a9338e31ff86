import { serverKind } from '../problem/kinds.ts';
import { Problem } from '../problem/problem.ts';
import { printable } from '../text/printable.ts';

/** A problem in the server's own words (RFC 9457), which are not yet safe for a terminal. */
export interface ServerProblem {
  /** The last part of `urn:vouch:problem:<kind>`. This version may not have it. */
  kind: string;
  /** What happened. */
  title: string | undefined;
  /** What to do. */
  detail: string | undefined;
}

/**
 * Reads a problem that a Vouch server describes.
 *
 * @param said the answer's body, as JSON
 * @returns undefined when the answer is not from a Vouch server (but from a proxy, for example)
 */
export function readProblem(said: unknown): ServerProblem | undefined {
  const { type, title, detail } = Object(said) as Record<string, unknown>;
  const [, kind] = /^urn:vouch:problem:([\w-]{1,64})$/.exec(String(type)) ?? [];
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  return kind === undefined ? undefined : { kind, title: text(title), detail: text(detail) };
}

/**
 * A Vouch server's refusal in its own words.
 *
 * @param said the answer's body, as JSON
 * @returns undefined when readProblem returns undefined
 */
export function serverRefusal(status: number, said: unknown): Problem | undefined {
  const problem = readProblem(said);
  if (problem === undefined) return undefined;
  return new Problem({
    ...serverKind(problem.kind),
    what: sentence(printable(problem.title ?? `It answered with status ${status}`, 300)),
    fix: printable(problem.detail ?? 'Try again.', 300),
    category: isPassing(status) ? 'unreachable' : 'refused',
  });
}

/** A server's title, which has no full stop, as a sentence. */
export function sentence(title: string): string {
  return /[.!?…]$/.test(title) ? title : `${title}.`;
}

/** Whether a status means that the server cannot answer now, but may in a moment. */
export function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}
