import { audit, type By } from '../../audit/audit.ts';
import { Problem } from '../../problem/problem.ts';
import { type EndedSession, endSessions } from '../../sessions/sessions.ts';
import type { StoreTransaction } from '../../store/store.ts';
import { canUnseal } from '../sealed-jwk.ts';

/** What giving up the signing keys did. */
export interface GivenUp {
  /** Those that were published. */
  kids: string[];
  sessions: EndedSession[];
}

/**
 * Gives up all signing keys, because the master key that opens them is lost: they are deleted, and the sessions end whose tokens they
 * signed. The next server that starts makes a new key. People and security keys are not encrypted, and stay.
 *
 * @param master the new master key, 32 bytes
 * @param now milliseconds since the epoch
 * @throws Problem `master-key-not-lost` when the master key opens one of them
 */
export async function giveUpKeys(transaction: StoreTransaction, now: number, master: Buffer, by: By): Promise<GivenUp> {
  const rows = await transaction.selectFrom('signing_keys').select(['kid', 'state', 'jwe']).execute();
  for (const { kid, jwe } of rows) if (await canUnseal(kid, jwe, master)) throw notLost(kid);
  const published = rows.filter(({ state }) => state !== 'gone');
  for (const { kid, state } of published)
    await audit(transaction, now, {
      ...by,
      event: 'signing-key-revoked',
      reason: 'master-key-lost',
      detail: { kid, state },
    });
  await transaction.deleteFrom('signing_keys').execute();
  const sessions = await endSessions(transaction, now, 'all', { ...by, reason: 'ended-by-administrator' });
  return { kids: published.map(({ kid }) => kid), sessions };
}

function notLost(kid: string): Problem {
  return new Problem({
    kind: 'master-key-not-lost',
    what: `This master key opens the signing key ${kid}: it is not lost.`,
    fix: 'To change it: vouch-server master-key rewrap. To end a signing key: vouch-server signing-keys revoke',
  });
}
