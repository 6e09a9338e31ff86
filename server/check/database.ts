import { statSync } from 'node:fs';
import type { Engine } from '../store/engine.ts';
import { checkMigrated } from '../store/health.ts';
import type { Store } from '../store/store.ts';
import { asFinding, type Finding, type Result, resultOf } from './result.ts';

/**
 * Opens the database, and tries whether it can be written, without changing anything.
 *
 * @returns the store, which the caller closes; undefined if it cannot be opened
 */
export async function checkDatabase(engine: Engine): Promise<{ result: Result; store: Store | undefined }> {
  const { name, kind } = engine;
  let store: Store;
  try {
    store = await engine.openExisting();
  } catch (error) {
    const finding = asFinding('database.not-opened', error);
    return { result: resultOf('database', { says: `${name} cannot be used`, findings: [finding] }), store: undefined };
  }
  const findings: Finding[] = kind === 'sqlite' ? findReadable(name) : [];
  try {
    await checkMigrated(store);
    await tryToWrite(store);
  } catch (error) {
    findings.push(asFinding('database.not-written', error));
  }
  const failed = findings.some(({ severity }) => severity === 'failed');
  const says = failed ? `${name} cannot be written` : `${name} can be written, and has this version's schema`;
  return { result: resultOf('database', { says, findings, data: { kind, name } }), store };
}

class Undone extends Error {}

/** Writes in a transaction that is taken back. */
async function tryToWrite(store: Store): Promise<void> {
  const attempt = store.transaction().execute(async (transaction) => {
    await transaction.updateTable('server').set({ written_at: 0 }).where('id', '=', 1).execute();
    throw new Undone();
  });
  await attempt.catch((error: unknown) => {
    if (!(error instanceof Undone)) throw error;
  });
}

/** The database has hashes, addresses and the audit trail: only the server's user may read it. */
function findReadable(file: string): Finding[] {
  return [file, `${file}-wal`, `${file}-shm`].flatMap((one) => {
    const mode = statSync(one, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) === 0) return [];
    return [
      {
        id: 'database.readable' as const,
        severity: 'warning' as const,
        what: `Other users of this machine can use ${one}: its mode is 0${(mode & 0o777).toString(8)}.`,
        fix: `chmod 600 ${one}`,
      },
    ];
  });
}
