import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../usage-error.ts';
import { becomeOwnerOf } from './sqlite/owner.ts';
import { openExistingStore, type Store } from './store.ts';

/** Which server it is, and where its database is. */
export interface Installation {
  issuer: string;
  sqliteFile: string;
}

/**
 * Makes a new database this issuer's.
 *
 * @param now milliseconds since the epoch
 * @throws UsageError when it is another's: keys are enrolled for that one's host name, and AWS trusts that one
 */
export async function claimDatabase(store: Store, installation: Installation, now: number): Promise<void> {
  const { issuer } = installation;
  await store
    .insertInto('server')
    .values({ id: 1, issuer, written_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await checkIssuer(store, installation);
}

/**
 * Opens the server's database for an administrative command, which never makes one. Run by root it goes on as the database's owner,
 * so that no file is left that the server could not open.
 *
 * @throws UsageError when there is no database of this issuer
 */
export async function openForAdministration(installation: Installation): Promise<Store> {
  const file = resolve(installation.sqliteFile);
  if (!existsSync(file) || statSync(file).size === 0) throw noDatabase(`There is no database ${file}.`);
  becomeOwnerOf(file);
  const store = openExistingStore(file);
  try {
    await checkIssuer(store, installation);
    return store;
  } catch (error) {
    await store.destroy();
    throw error;
  }
}

async function checkIssuer(store: Store, { issuer, sqliteFile }: Installation): Promise<void> {
  const row = await store.selectFrom('server').select('issuer').where('id', '=', 1).executeTakeFirst();
  const file = resolve(sqliteFile);
  if (row === undefined) throw noDatabase(`No server has used the database ${file} yet.`);
  if (row.issuer === issuer) return;
  throw new UsageError(
    `VOUCH_ISSUER is ${issuer}, and the database ${file} is ${row.issuer}'s.`,
    "Security keys are enrolled for an issuer's host name, and AWS trusts one issuer: neither can be changed.",
    `Set VOUCH_ISSUER=${row.issuer}, or VOUCH_DATABASE_URL to the database of ${issuer}.`,
  );
}

function noDatabase(what: string): UsageError {
  return new UsageError(
    what,
    'The server makes it when it first starts; other commands only use it.',
    'Start the server, or set VOUCH_DATABASE_URL as the server has it.',
  );
}
