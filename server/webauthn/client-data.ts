import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { isUsable, type Purpose, useChallenge } from './challenges.ts';

/** What must be known about a ceremony before the rest of it is read. */
export interface ClientData {
  challenge: string;
  /** Whether the page was in another site's frame (WebAuthn, section 5.8.1, `crossOrigin` and `topOrigin`). */
  framed: boolean;
}

/**
 * Uses up the challenge of a browser's answer before the rest is verified: even for a bad answer, a challenge is good for one try.
 *
 * @param clientDataJSON base64url, as the browser sent it
 * @throws Problem `challenge-used`; its reason does not repeat the challenge, which may still be good elsewhere
 */
export async function useClientData(
  { store, now }: Context,
  purpose: Purpose,
  binding: string,
  clientDataJSON: unknown,
): Promise<ClientData> {
  const { challenge, framed } = readClientData(clientDataJSON);
  if (!(await useChallenge(store, now(), purpose, binding, challenge))) throw challengeUsed();
  return { challenge, framed };
}

/**
 * Does a step with a browser's answer that uses up the challenge in its own transaction, together with all that it stores
 * (`useChallenge`, or `challengeUsed`). If the step fails, the challenge is used up all the same.
 *
 * @throws Problem `challenge-used`, before the step too
 */
export async function withClientData<Result>(
  { store, now }: Context,
  purpose: Purpose,
  binding: string,
  clientDataJSON: unknown,
  step: (clientData: ClientData) => Promise<Result>,
): Promise<Result> {
  const clientData = readClientData(clientDataJSON);
  const { challenge } = clientData;
  // Nothing is verified for a challenge that is known to be used.
  if (!(await isUsable(store, now(), purpose, binding, challenge))) throw challengeUsed();
  try {
    return await step(clientData);
  } catch (error) {
    await useChallenge(store, now(), purpose, binding, challenge);
    throw error;
  }
}

/** For an answer to a challenge that cannot be used. */
export function challengeUsed(): Problem {
  return new Problem({
    kind: 'challenge-used',
    what: 'This request is used up or too old',
    fix: 'Try again.',
    reason: 'the challenge is unknown, used, too old, or of another ceremony',
  });
}

/** @throws Problem `challenge-used` when there is no challenge */
function readClientData(clientDataJSON: unknown): ClientData {
  const { challenge, crossOrigin, topOrigin } = parse(clientDataJSON);
  if (typeof challenge !== 'string') throw challengeUsed();
  return { challenge, framed: (crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined };
}

function parse(clientDataJSON: unknown): { challenge?: unknown; crossOrigin?: unknown; topOrigin?: unknown } {
  try {
    return Object(JSON.parse(Buffer.from(String(clientDataJSON), 'base64url').toString()));
  } catch {
    return {};
  }
}
