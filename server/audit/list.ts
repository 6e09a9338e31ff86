import type { Store } from '../store/store.ts';
import type { AuditEvent } from './events.ts';
import type { Row } from './rows.ts';

/** Which rows to list. Times are milliseconds since the epoch. */
export interface AuditFilter {
  since?: number | undefined;
  until?: number | undefined;
  /** An address: rows that concern the person, or that the person caused. */
  person?: string | undefined;
  event?: AuditEvent | undefined;
  actor?: string | undefined;
}

/**
 * Lists rows of the audit trail.
 *
 * @param limit how many at most: the latest
 * @returns in their order, the latest last
 */
export async function listAudit(store: Store, filter: AuditFilter, limit: number): Promise<Row[]> {
  const found = await Promise.all(listQueries(store, filter, limit).map((query) => query.execute()));
  const rows = new Map(found.flat().map((row) => [row.id, row]));
  return [...rows.values()].sort((a, b) => a.id - b.id).slice(-limit);
}

type Named = 'subject' | 'actor' | 'event';

/** The queries that a list is made of: each follows one index, from its end, and stops after `limit` rows. */
export function listQueries(store: Store, { since, until, person, event, actor }: AuditFilter, limit: number) {
  const query = (leading: Partial<Record<Named, string>>, other: Partial<Record<Named, string | undefined>>) => {
    const [follow] = Object.keys(leading);
    const timed = since !== undefined || until !== undefined;
    return (
      store
        .selectFrom('audit')
        .selectAll()
        .where((is) =>
          is.and([
            ...Object.entries(leading).map(([column, value]) => is(column as Named, '=', value)),
            ...Object.entries(other).map(([column, value]) =>
              // Within `coalesce`, so that the database does not take this column's index.
              value === undefined ? is.lit(true) : is(is.fn.coalesce(column as Named, is.val('')), '=', value),
            ),
            ...(since === undefined ? [] : [is('at', '>=', since)]),
            ...(until === undefined ? [] : [is('at', '<', until)]),
          ]),
        )
        // The index of the times is not in the order of the rows; the others are.
        .$if(follow === undefined && timed, (all) => all.orderBy('at', 'desc'))
        .orderBy('id', 'desc')
        .limit(limit)
    );
  };
  if (person !== undefined)
    return [query({ subject: person }, { event, actor }), query({ actor: person }, { event, actor })];
  if (actor !== undefined) return [query({ actor }, { event })];
  if (event !== undefined) return [query({ event }, {})];
  return [query({}, {})];
}
