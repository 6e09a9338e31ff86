import { awsCredentialsUntil, latestCredentialsUntil } from '../aws/outstanding.ts';
import type { Context } from '../context.ts';

/**
 * Until when AWS may honour what ended sessions got: no server can take that back.
 *
 * @returns milliseconds since the epoch; undefined if there is nothing
 */
export function credentialsOfSessions(
  { store, config, now }: Context,
  sessions: readonly { id: string }[],
): Promise<number | undefined> {
  const holders = sessions.map(({ id }) => ({ sessionId: id }));
  return latestCredentialsUntil(store, holders, config.awsSessionSeconds, now());
}

/** The same for all that a person got. */
export function credentialsOfPerson({ store, config, now }: Context, email: string): Promise<number | undefined> {
  return awsCredentialsUntil(store, { email }, config.awsSessionSeconds, now());
}
