import { awsCredentialsUntil } from '../aws/outstanding.ts';
import type { Context } from '../context.ts';

/**
 * Until when AWS may honour what ended sessions have got: no server can take that back. Ask after they have ended, so that no token
 * comes in between.
 *
 * @returns milliseconds since the epoch; undefined if there is nothing
 */
export async function credentialsOfSessions(
  context: Context,
  sessions: readonly { id: string }[],
): Promise<number | undefined> {
  const { store, config } = context;
  let latest: number | undefined;
  for (const { id } of sessions) {
    const until = await awsCredentialsUntil(store, { sessionId: id }, config.awsSessionSeconds, context.now());
    if (until !== undefined && until > (latest ?? 0)) latest = until;
  }
  return latest;
}

/** The same for all that a person has got. */
export function credentialsOfPerson(context: Context, email: string): Promise<number | undefined> {
  return awsCredentialsUntil(context.store, { email }, context.config.awsSessionSeconds, context.now());
}
