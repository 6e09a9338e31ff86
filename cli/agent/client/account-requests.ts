import type { AccountKey, AccountKeys, AccountSessions, Ending, KeyRemoval, NewKeyName } from '../protocol/account.ts';
import { askAgent } from './ask-agent.ts';

/**
 * The requests to the agent about what the person has at the server (sockets/account-routes.ts answers them). Each throws as `askAgent`,
 * and as the methods of the agent's `Account`.
 */

/** The person's keys, the oldest first. @param signal gives the request up, and its reason is thrown */
export async function accountKeys(env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<AccountKey[]> {
  return (JSON.parse(await askAgent(env, 'GET /account/keys', { signal })) as AccountKeys).keys;
}

/** @param id the key's */
export async function renameKey(id: string, name: string, env: NodeJS.ProcessEnv): Promise<void> {
  const body: NewKeyName = { name };
  await askAgent(env, `PATCH /account/keys?${new URLSearchParams({ id })}`, { body: JSON.stringify(body) });
}

/** @param id the key's */
export async function removeKey(id: string, env: NodeJS.ProcessEnv): Promise<KeyRemoval> {
  return JSON.parse(await askAgent(env, `DELETE /account/keys?${new URLSearchParams({ id })}`)) as KeyRemoval;
}

/** The person's sessions, the latest first, and the browsers that have their account open. */
export async function accountSessions(env: NodeJS.ProcessEnv): Promise<AccountSessions> {
  return JSON.parse(await askAgent(env, 'GET /account/sessions')) as AccountSessions;
}

/** @param id the session's or the browser's */
export async function endSession(id: string, env: NodeJS.ProcessEnv): Promise<Ending> {
  return JSON.parse(await askAgent(env, `DELETE /account/sessions?${new URLSearchParams({ id })}`)) as Ending;
}

/** Ends all sessions but the agent's own, and signs all browsers out. */
export async function endOtherSessions(env: NodeJS.ProcessEnv): Promise<Ending> {
  return JSON.parse(await askAgent(env, 'DELETE /account/other-sessions')) as Ending;
}

/** Reports "this was not me": ends all sessions, the agent's own too. */
export async function reportNotMe(env: NodeJS.ProcessEnv): Promise<Ending> {
  return JSON.parse(await askAgent(env, 'POST /account/not-me')) as Ending;
}
