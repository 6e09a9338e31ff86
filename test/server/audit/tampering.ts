import { sql } from 'kysely';
import { type Verdict, verifyTrail } from '../../../server/audit/verify.ts';
import { chooseEngine } from '../../../server/store/choose-engine.ts';
import * as postgres from '../../../server/store/postgres/append-only.ts';
import * as sqlite from '../../../server/store/sqlite/append-only.ts';
import type { Store } from '../../../server/store/store.ts';
import { type EngineKind, runStatements } from '../engines.ts';

const letChange = (kind: EngineKind) => (kind === 'sqlite' ? sqlite.LET_CHANGE.split(';') : postgres.LET_CHANGE);

/** Changes a database as somebody who owns it can: the triggers that keep the trail append-only go first. */
export async function tamper(url: string, ...statements: string[]): Promise<void> {
  await runStatements(url, ...letChange(chooseEngine(url).kind), ...statements);
}

/** What is found in a trail after such changes, which are then undone. */
export async function verdictAfter(store: Store, kind: EngineKind, statements: readonly string[]): Promise<Verdict> {
  const transaction = await store.startTransaction().execute();
  try {
    for (const statement of [...letChange(kind), ...statements.flatMap((each) => each.split(';'))]) {
      await sql.raw(statement).execute(transaction);
    }
    return await verifyTrail(transaction);
  } finally {
    await transaction.rollback().execute();
  }
}
