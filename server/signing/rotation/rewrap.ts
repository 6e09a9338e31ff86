import { audit, type By } from '../../audit/audit.ts';
import { Problem } from '../../problem/problem.ts';
import type { StoreTransaction } from '../../store/store.ts';
import { canUnseal, sealJwk, unsealJwk } from '../sealed-jwk.ts';

/** What changing the master key did. */
export interface Rewrapped {
  /** How many signing keys are encrypted under the new one now. */
  keys: number;
  /** False when they were before. */
  changed: boolean;
}

/**
 * Encrypts all that is encrypted under the master key, which is the signing keys, under another one. All of it or nothing: until the
 * transaction is over, the old key opens everything, and afterwards the new one.
 *
 * @param from the master key so far, 32 bytes
 * @param to the new one, 32 bytes
 * @throws Problem `signing-key-locked` when neither opens a key
 */
export async function rewrap(
  transaction: StoreTransaction,
  now: number,
  { from, to }: { from: Buffer; to: Buffer },
  by: By,
): Promise<Rewrapped> {
  if (from.equals(to)) {
    throw new Problem({
      kind: 'option-refused',
      what: 'The new master key is the one that the settings have.',
      fix: 'Make a new one: openssl rand -base64 32',
    });
  }
  const rows = await transaction.selectFrom('signing_keys').select(['kid', 'jwe']).execute();
  // A command that ended before its output was read may come again.
  if (rows.length > 0 && (await every(rows, ({ kid, jwe }) => canUnseal(kid, jwe, to)))) {
    return { keys: rows.length, changed: false };
  }
  for (const { kid, jwe } of rows) {
    const sealed = await sealJwk(await unsealJwk(kid, jwe, from), to);
    await transaction.updateTable('signing_keys').set({ jwe: sealed }).where('kid', '=', kid).execute();
  }
  await audit(transaction, now, { ...by, event: 'master-key-changed', detail: { keys: rows.length } });
  return { keys: rows.length, changed: true };
}

async function every<Item>(items: readonly Item[], test: (item: Item) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (!(await test(item))) return false;
  return true;
}
