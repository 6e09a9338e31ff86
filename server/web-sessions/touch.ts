import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import type { RequestSource } from '../audit/audit.ts';
import { countingRefusals } from '../audit/refusals.ts';
import type { Context } from '../context.ts';
import { acceptCounter, assertionOptions, foreignKey, verifyAssertion } from '../webauthn/assertion.ts';
import {
  beginWebSession,
  LONGEST_MS,
  renewWebSession,
  type WebSession,
  type WebSessionSecrets,
} from './web-sessions.ts';

/** Challenges to sign in are bound to nothing else: each is secret, good for one answer, and given to the page that asks for it. */
const SIGN_IN = 'sign-in';

/** Options for the touch that begins a web session, of any enrolled key. */
export function signInOptions(context: Context) {
  return assertionOptions(context, 'account', SIGN_IN);
}

/**
 * Verifies the touch and begins a web session. Counter, session and audit row change in one transaction.
 *
 * @param before the browser's present cookie
 */
export async function signIn(
  context: Context,
  credential: AuthenticationResponseJSON,
  { browser, before, from }: { browser: string | null; before: string | undefined; from: RequestSource },
): Promise<WebSessionSecrets> {
  return countingRefusals(context, { event: 'sign-in-refused', keyId: credential.id, from }, async () => {
    const key = await verifyAssertion(context, 'account', SIGN_IN, credential);
    return context.store.transaction().execute(async (transaction) => {
      const now = context.now();
      await acceptCounter(transaction, key, now);
      const person = { id: key.personId, email: key.email };
      const session = { person, keyId: key.keyId, browser, from, expiresAt: endOf(context, now) };
      return beginWebSession(transaction, now, session, before);
    });
  });
}

/** Options for another touch during a web session, of one of the person's keys. */
export function touchOptions(context: Context, session: WebSession, keys: { id: string; transports: string[] }[]) {
  return assertionOptions(context, 'account-touch', session.id, keys);
}

/**
 * Verifies another touch, and renews the session: sensitive changes want a touch that is a few minutes old at most. Counter, session and
 * audit row change in one transaction.
 *
 * @throws Problem when the assertion is refused, when the key is another person's, or when the session is over
 */
export async function renew(
  context: Context,
  session: WebSession,
  credential: AuthenticationResponseJSON,
  from: RequestSource,
): Promise<WebSessionSecrets> {
  return countingRefusals(context, { event: 'sign-in-refused', keyId: credential.id, from }, async () => {
    const key = await verifyAssertion(context, 'account-touch', session.id, credential);
    if (key.personId !== session.personId) throw foreignKey();
    return context.store.transaction().execute(async (transaction) => {
      const now = context.now();
      await acceptCounter(transaction, key, now);
      return renewWebSession(transaction, now, session, { keyId: key.keyId, expiresAt: endOf(context, now), from });
    });
  });
}

/** When a session that begins with a touch now ends: no later than a terminal's would. */
function endOf({ config }: Context, now: number): number {
  return now + Math.min(LONGEST_MS, config.sessionSeconds * 1000);
}
