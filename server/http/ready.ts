import type { RequestHandler } from 'express';
import { sql } from 'kysely';
import type { Context } from '../context.ts';
import { version } from '../version.ts';

/** Milliseconds for which an answer is good: strangers ask too, and each write waits for the disk. */
const KEPT_MS = 2_000;

/**
 * For load balancers and supervisors: 200 while the server can do its work, which is to write into the database that is at its
 * path; 503 when the disk is full, the file gone or locked by another program.
 */
export function readyz(context: Context): RequestHandler {
  let attempt: Promise<void> | undefined;
  // Of an attempt under way, never; by a clock that nobody sets.
  let staleAt = Number.POSITIVE_INFINITY;
  const tried = () => {
    staleAt = performance.now() + KEPT_MS;
  };
  return async (_request, response) => {
    if (attempt === undefined || performance.now() >= staleAt) {
      staleAt = Number.POSITIVE_INFINITY;
      attempt = write(context).finally(tried);
    }
    await attempt;
    response.set('Cache-Control', 'no-store').json({ status: 'ok', version });
  };
}

/** A row that is there is changed and committed, as all that is kept here has to be. */
async function write({ store, now }: Context): Promise<void> {
  await store
    .updateTable('server')
    .set({ written_at: sql`${now()}` })
    .where('id', '=', 1)
    .execute();
}
