import type { Schema } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { auditAll } from './audit.ts';

/** How long a window counts, in milliseconds. */
const WINDOW_MS = 3600_000;

/** A count of refusals of one kind within an hour. */
export type Window = Schema['audit_windows'];

/** When the hour began that counts now, in milliseconds since the epoch. */
export function hourOf(now: number): number {
  return now - (now % WINDOW_MS);
}

/** The windows that are not rows yet, the one that counted last at the end. */
export function openWindows(store: Store): Promise<Window[]> {
  return store.selectFrom('audit_windows').selectAll().orderBy('last_at').execute();
}

/**
 * Makes a row of the trail of each window whose hour is over. They change places in one transaction, so that each refusal is always in
 * exactly one of them.
 *
 * @param now milliseconds since the epoch
 */
export async function closeWindows(store: Store, now: number): Promise<void> {
  for (;;) {
    // Also windows from the future: the clock was ahead.
    const over = await store
      .selectFrom('audit_windows')
      .select('began_at')
      .where('began_at', '!=', hourOf(now))
      .limit(1)
      .executeTakeFirst();
    if (over === undefined) return;
    await store.transaction().execute(async (transaction) => {
      const windows = await transaction
        .deleteFrom('audit_windows')
        .where('began_at', '=', over.began_at)
        .returningAll()
        .execute();
      windows.sort((a, b) => Number(a.last_at) - Number(b.last_at));
      await auditAll(transaction, now, windows.map(entryOf));
    });
  }
}

function entryOf(window: Window) {
  return {
    event: window.event as 'sign-in-refused' | 'enrolment-refused',
    // Nobody has proved who they are.
    actor: 'unknown',
    subject: window.email || null,
    from: window.last_ip === null ? undefined : { ip: window.last_ip },
    keyId: window.key_id || null,
    result: 'refused' as const,
    reason: window.problem,
    detail: { count: Number(window.count), since: Number(window.began_at), lastAt: Number(window.last_at) },
  };
}
