import { awsCredentialsUntil } from '../aws/outstanding.ts';
import type { Context } from '../context.ts';
import type { Store } from '../store/store.ts';
import { isoTime } from '../text/iso-time.ts';

/** What outlasts the sessions that a recovery has ended. */
export interface EndedAccess {
  /** Until when AWS may honour credentials that they got, ISO 8601; null when there are none. */
  awsCredentialsUntil: string | null;
}

/** What outlasts a recovery of the person with this address. Ask after their sessions have ended. */
export async function endedAccess(store: Store, { config, now }: Context, email: string): Promise<EndedAccess> {
  const until = await awsCredentialsUntil(store, { email }, config.awsSessionSeconds, now());
  return { awsCredentialsUntil: isoTime(until) };
}
