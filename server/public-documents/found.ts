import type { Store } from '../store/store.ts';
import { isOfKey, type Look, type Trouble } from './look.ts';

/** What looks at the public documents have found so far. */
export interface Found {
  /** When a server looked last, in milliseconds since the epoch. */
  at: number;
  troubles: readonly Trouble[];
  /** What the latest look showed that could read both documents; undefined if none could. */
  read: { at: number; maxAge: number; keys: Readonly<Record<string, ShownKey>> } | undefined;
}

/** A key that AWS can use. All times are milliseconds since the epoch. */
export interface ShownKey {
  /** When a look first showed it, without a look in between that did not. */
  since: number;
  /** From when on nobody has an older copy, which lacks it. */
  everywhereAt: number;
}

/**
 * Adds a look to what earlier ones have found.
 *
 * A host's caches, and AWS, may still have an older copy: each keeps one for its `max-age`, counted from when the host made it. That was
 * before we first saw the newer one, and as much earlier as the copy that we saw was old. So the wait is the longer of the two copies'
 * `max-age`, less that `Age` (RFC 9111, section 4.2.3).
 */
export function addLook(before: Found | undefined, look: Look): Found {
  const { at, troubles, freshness } = look;
  // Whatever keys there were, AWS could read both documents.
  if (freshness === undefined || !troubles.every(isOfKey)) return { at, troubles, read: before?.read };
  const longest = Math.max(freshness.maxAge, before?.read?.maxAge ?? 0);
  const keys = look.shown.map((kid): [string, ShownKey] => {
    const known = before?.read?.keys[kid];
    return [kid, known ?? { since: at, everywhereAt: at + Math.max(0, longest - freshness.age) * 1000 }];
  });
  return { at, troubles, read: { at, maxAge: freshness.maxAge, keys: Object.fromEntries(keys) } };
}

/**
 * Whether AWS can use a key, and nobody still has an older copy without it. The look that shows it must be late enough by its own time: the
 * clock of whoever asks may be ahead of the clock of whoever looked.
 */
export function isEverywhere(read: Found['read'], kid: string): boolean {
  const key = read?.keys[kid];
  return read !== undefined && key !== undefined && key.everywhereAt <= read.at;
}

/** When a server last looked at the documents of another issuer, in milliseconds since the epoch. */
export async function lookedElsewhere(store: Store, awsIssuer: string): Promise<number | undefined> {
  const row = await store
    .selectFrom('public_documents')
    .select('looked_at')
    .where('id', '=', 1)
    .where('aws_issuer', '!=', awsIssuer)
    .executeTakeFirst();
  return row?.looked_at;
}

/** What was found about this issuer; undefined if nobody has looked, or only at another issuer's. */
export async function loadFound(store: Store, awsIssuer: string): Promise<Found | undefined> {
  const row = await store
    .selectFrom('public_documents')
    .select(['found'])
    .where('id', '=', 1)
    .where('aws_issuer', '=', awsIssuer)
    .executeTakeFirst();
  return row === undefined ? undefined : (JSON.parse(row.found) as Found);
}

/** Keeps what was found, for all instances. */
export async function saveFound(store: Store, awsIssuer: string, found: Found): Promise<void> {
  const row = { aws_issuer: awsIssuer, looked_at: found.at, found: JSON.stringify(found) };
  await store
    .insertInto('public_documents')
    .values({ id: 1, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}
