import { Problem } from '../problem/problem.ts';

/** Which part of a list to read. */
export interface PageRequest {
  /** The most rows. */
  limit: number;
  /** `next` of the page before. */
  after?: string | undefined;
}

/** A part of a list. A page begins after a row's values, not after a number of rows, so that changes in between shift nothing. */
export interface Page<Row> {
  rows: Row[];
  /** The cursor of the page that follows; null at the end. */
  next: string | null;
}

/**
 * Makes a page of the rows that a query found.
 *
 * @param rows at most one more than `limit`, to know whether there are more
 * @param place the values that the list is sorted by, unique together
 */
export function pageOf<Row>(rows: Row[], limit: number, place: (row: Row) => (string | number)[]): Page<Row> {
  const last = rows[limit - 1];
  if (rows.length <= limit || last === undefined) return { rows, next: null };
  return { rows: rows.slice(0, limit), next: Buffer.from(JSON.stringify(place(last))).toString('base64url') };
}

/**
 * Reads a cursor.
 *
 * @param like values of the types that the list's place has
 * @throws Problem `option-refused` when it is not one of this list
 */
export function readCursor<Place extends (string | number)[]>(cursor: string, like: Place): Place {
  const values = parse(cursor);
  const fits =
    Array.isArray(values) &&
    values.length === like.length &&
    values.every((value, index) => typeof value === typeof like[index]);
  if (fits) return values as Place;
  throw new Problem({
    kind: 'option-refused',
    what: 'The place to go on from is not one of this list.',
    fix: 'Take it from the end of the page before, or begin again without --after.',
  });
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor.slice(0, 4096), 'base64url').toString());
  } catch {
    return undefined;
  }
}
