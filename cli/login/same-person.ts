import type { NewSession } from '../agent/protocol.ts';
import { changeConfig, readConfig } from '../config.ts';
import { Problem } from '../problem/problem.ts';
import { askServer } from '../server-api/ask-server.ts';
import { printable } from '../text/printable.ts';
import { CLIENT_ID } from './oidc-client.ts';

/**
 * Makes sure that who signed in is who is meant. A sign-in's address can be read on the machine, and be finished with the key
 * of whoever reads it: what follows would go out in their name. So another person than last time at this server is told, and
 * their session kept only when the person at the terminal says so.
 *
 * @param keep asks that person; without one there is nobody to ask
 * @throws Problem `other-person`; the session is over then
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
    why: 'Somebody who can see what runs on this machine may have opened the address of your sign-in, with a key of theirs.',
    fix: `Run \`vouch login\` again${keep ? '' : ' on a terminal, which asks whether it is you'}. Somebody else’s key: tell your administrator.`,
  });
}

/** Notes who signed in, for the next time. */
export function rememberPerson(env: NodeJS.ProcessEnv, { issuer, email }: NewSession): void {
  const { people } = readConfig(env);
  if (people?.[issuer] !== email) changeConfig(env, { people: { ...people, [issuer]: email } });
}

/** Tells the server that the session is over (RFC 7009). Where it does not hear it: nobody has what the session is good for. */
async function endSession({ issuer, accessToken }: NewSession): Promise<void> {
  await askServer(new URL('/token/revocation', issuer), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token: accessToken, client_id: CLIENT_ID }).toString(),
    signal: AbortSignal.timeout(5_000),
  }).catch(() => {});
}
