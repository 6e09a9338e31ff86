import { machineName, shortId } from '../../account/names.ts';
import { accountKeys, accountSessions } from '../../agent/client/account-requests.ts';
import { listLends } from '../../agent/client/lend-requests.ts';
import { vouchProfiles } from '../../aws/config/profiles.ts';
import type { Listed } from '../../completion/values.ts';
import type { Io } from '../../terminal/io.ts';

/** Nobody waits longer than this for a completion, in milliseconds. */
const longest = 2000;

/**
 * `vouch completion-words <kind>`, which completion scripts run: names, one a line. What cannot be found is no error, because a message
 * would be printed into the line that somebody is typing.
 */
export async function completionWords(kind: Listed, _options: object, io: Io): Promise<number> {
  const { promise: tooLate, resolve } = Promise.withResolvers<string[]>();
  const timer = setTimeout(() => resolve([]), longest);
  const words = await Promise.race([lists[kind](io.env).catch(() => []), tooLate]);
  clearTimeout(timer);
  // A name that was given elsewhere must not become several, nor control the terminal.
  const plain = [...new Set(words)].filter((word) => word !== '' && !/\p{Cc}/u.test(word));
  io.stdout.write(plain.map((word) => `${word}\n`).join(''));
  return 0;
}

const lists: Readonly<Record<Listed, (env: NodeJS.ProcessEnv) => Promise<string[]>>> = {
  profiles: async (env) => (await vouchProfiles(env)).map(({ name }) => name),
  roles: async (env) => (await vouchProfiles(env)).map(({ role }) => role.arn),
  lends: async (env) => (await listLends(env)).lends.map(({ name }) => name),
  keys: async (env) => (await accountKeys(env)).map(({ name }) => name),
  sessions: async (env) =>
    (await accountSessions(env)).sessions.flatMap((session) => [shortId(session.id), machineName(session)]),
};
