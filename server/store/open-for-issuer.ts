import { Problem } from '../problem/problem.ts';
import { inFull } from '../text/time.ts';
import type { Engine } from './engine.ts';
import { noDatabase } from './no-database.ts';
import type { StatementWatch } from './statement-watch.ts';
import type { Store } from './store.ts';

/**
 * Opens the database for the server. A new database becomes this issuer's.
 *
 * @param now milliseconds since the epoch
 * @param watch told of each statement
 * @throws Problem `database-refused` when it belongs to another issuer: its keys are enrolled for that issuer's host name
 */
export async function openForServing(
  engine: Engine,
  issuer: string,
  now: number,
  watch?: StatementWatch,
): Promise<Store> {
  return checked(await engine.open(watch), async (store) => {
    await store
      .insertInto('server')
      .values({ id: 1, issuer, written_at: now, aws_issuer: null })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await checkIssuer(store, engine, issuer);
  });
}

/**
 * Opens the database for an administrative command, which never makes one.
 *
 * @throws Problem `database-refused` when there is no database of this issuer
 */
export async function openForAdministration(engine: Engine, issuer: string): Promise<Store> {
  return checked(await engine.openExisting(), (store) => checkIssuer(store, engine, issuer));
}

async function checked(store: Store, check: (store: Store) => Promise<void>): Promise<Store> {
  try {
    await check(store);
    return store;
  } catch (error) {
    await store.destroy();
    throw error;
  }
}

async function checkIssuer(store: Store, { name }: Engine, issuer: string): Promise<void> {
  const row = await store.selectFrom('server').selectAll().where('id', '=', 1).executeTakeFirst();
  if (row === undefined) throw noDatabase(`No server has used the database ${name} yet.`);
  if (row.issuer === issuer) {
    if (row.backed_up_at === null) return;
    throw new Problem({
      kind: 'database-refused',
      what: `The database ${name} is a backup of ${inFull(row.backed_up_at)}, which was put there by hand.`,
      why: 'Invitations that were used since, and sessions that were ended, would be open again.',
      fix: 'Settle it first: vouch-server restore --in-place',
    });
  }
  throw new Problem({
    kind: 'database-refused',
    what: `VOUCH_ISSUER is ${issuer}, but the database ${name} belongs to ${row.issuer}.`,
    why: "Security keys are enrolled for the issuer's host name, so it cannot be changed.",
    fix: `Set VOUCH_ISSUER=${row.issuer}, or VOUCH_DATABASE_URL to the database of ${issuer}.`,
  });
}
