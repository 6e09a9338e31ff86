import type { ServerResponse } from 'node:http';
import type { Category } from '../../problem/kinds.ts';
import type { Problem } from '../../problem/problem.ts';

export function sendJson(response: ServerResponse, value: unknown): void {
  send(response, 200, 'application/json', JSON.stringify(value));
}

/** Always with the length, so that a reader recognises an answer that was cut. */
export function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}

export function sendProblem(response: ServerResponse, problem: Problem, status = statusOf(problem)): void {
  send(response, status, 'application/problem+json', JSON.stringify(problem));
}

const statuses: Record<Category, number> = {
  usage: 400,
  failed: 400,
  'no-session': 401,
  refused: 403,
  unreachable: 502,
};

/** The HTTP status of a problem on agent.sock (RFC 9110, section 15). */
export function statusOf({ kind, category }: Problem): number {
  if (kind === 'internal-error') return 500;
  return kind === 'agent-leaving' ? 503 : statuses[category];
}
