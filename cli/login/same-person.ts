import type { NewSession } from '../agent/protocol/messages.ts';
import { changeConfig, readConfig } from '../config.ts';
import { Problem } from '../problem/problem.ts';
import { askServer } from '../server-api/ask-server.ts';
import { printable } from '../text/printable.ts';
import { clientId } from './oidc-client.ts';

/**
 * Makes sure that the right person signed in. Others on the machine can read a sign-in's address and finish it with their own
 * key, and then all that follows would be in their name. So a session of another person than last time at this server is kept
 * only if the person at the terminal agrees.
 *
 * @param keep asks that person; without it the session is not kept
 * @throws Problem `other-person`, after the session was ended
 */
export async function checkPerson(
  env: NodeJS.ProcessEnv,
  session: NewSession,
  keep: ((question: string) => Promise<boolean>) | undefined,
): Promise<void> {
  const { issuer, email } = session;
  const last = readConfig(env).people?.[issuer];
  if (last === undefined || last === email) return;
  const before = printable(last, 64);
  if (await keep?.(`You are signed in as ${email}; last time it was ${before}. Is ${email} you?`)) return;
  await endSession(session);
  throw new Problem({
    kind: 'other-person',
    what: `${email} signed in here, and last time it was ${before}: the session was not kept.`,
    why: 'Somebody who can see what runs on this machine may have opened the address of your sign-in, with a key of their own.',
    fix: `Run \`vouch login\` again${keep ? '' : ' on a terminal, which asks whether it is you'}. Somebody else’s key: tell your administrator.`,
  });
}

/** Remembers who signed in, for the next time. */
export function rememberPerson(env: NodeJS.ProcessEnv, { issuer, email }: NewSession): void {
  const { people } = readConfig(env);
  if (people?.[issuer] !== email) changeConfig(env, { people: { ...people, [issuer]: email } });
}

/** Revokes the token at the server (RFC 7009). If that fails, nobody has the key that the token needs. */
async function endSession({ issuer, accessToken }: NewSession): Promise<void> {
  await askServer(new URL('/token/revocation', issuer), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token: accessToken, client_id: clientId }).toString(),
    signal: AbortSignal.timeout(5_000),
  }).catch(() => {});
}
