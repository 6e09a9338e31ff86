import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';
import { shown } from '../text/shown.ts';
import { activeSessions } from './sessions.ts';

/** Lists show so many characters of a session's ID. Fewer name none. */
export const SHORT_ID = 8;

/**
 * The session that an administrator names, if it can be used.
 *
 * @param named its ID, or the beginning of its ID
 * @throws Problem `session-unknown` when there is none, or more than one
 */
export async function findSession(store: Store, now: number, named: string): Promise<{ id: string; email: string }> {
  const id = named.trim().toLowerCase();
  const isId = /^[0-9a-f-]{8,36}$/.test(id);
  const found = isId
    ? await activeSessions(store, now)
        .where('sessions.id', '>=', id)
        // After every hexadecimal digit.
        .where('sessions.id', '<', `${id}g`)
        .limit(2)
        .execute()
    : [];
  const [session] = found;
  if (session !== undefined && found.length === 1) return session;
  throw new Problem({
    kind: 'session-unknown',
    what:
      found.length > 1
        ? `${shown(named)} is the beginning of several sessions' IDs.`
        : `There is no session ${shown(named)}.`,
    ...(found.length > 1 ? {} : { why: 'It may have ended already, or it is not an ID.' }),
    fix: '`vouch-server sessions list` shows them, and with --json the whole IDs.',
  });
}
