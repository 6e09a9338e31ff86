import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { type Purpose, useChallenge } from './challenges.ts';

/** What must be known of a ceremony before anything else in it is looked at. */
export interface ClientData {
  challenge: string;
  /** Whether the page was in a frame of another site (WebAuthn, section 5.8.1, `crossOrigin` and `topOrigin`). */
  framed: boolean;
}

/**
 * Uses up the challenge that a browser's answer was made for, before the rest is verified: whatever is wrong with an answer,
 * its challenge was good for this one try.
 *
 * @param clientDataJSON base64url, as the browser sent it
 * @throws Problem `challenge-used`; its reason does not repeat the challenge, which may be one that is still good elsewhere
 */
export async function useClientData(
  context: Context,
  purpose: Purpose,
  binding: string,
  clientDataJSON: unknown,
): Promise<ClientData> {
  const { challenge, crossOrigin, topOrigin } = parse(clientDataJSON);
  const ours =
    typeof challenge === 'string' && (await useChallenge(context.store, context.now(), purpose, binding, challenge));
  if (!ours) {
    throw new Problem({
      kind: 'challenge-used',
      what: 'This request is used up or too old',
      fix: 'Try again.',
      reason: 'the challenge is unknown, used, too old, or of another ceremony',
    });
  }
  return { challenge, framed: (crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined };
}

function parse(clientDataJSON: unknown): { challenge?: unknown; crossOrigin?: unknown; topOrigin?: unknown } {
  try {
    return Object(JSON.parse(Buffer.from(String(clientDataJSON), 'base64url').toString()));
  } catch {
    return {};
  }
}
