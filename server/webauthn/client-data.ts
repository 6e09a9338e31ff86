import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { type Purpose, useChallenge } from './challenges.ts';

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
