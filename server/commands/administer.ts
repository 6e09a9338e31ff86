import type { By } from '../audit/audit.ts';
import { readInstallation } from '../config/config.ts';
import { whoRuns } from '../process/system-user.ts';
import { openForAdministration } from '../store/open-for-issuer.ts';
import type { Store } from '../store/store.ts';

/** What an administrative command works with. */
export interface Administration {
  store: Store;
  installation: ReturnType<typeof readInstallation>;
  /** Who runs the command, for the audit trail. */
  by: By;
}

/**
 * Runs a command on the server's database, whether the server runs or not. It never makes a database.
 *
 * @throws Problem `setting-refused` or `database-refused`
 */
export async function administer(work: (administration: Administration) => Promise<void>): Promise<void> {
  const by = whoRuns();
  const installation = readInstallation(process.env);
  const store = await openForAdministration(installation.database, installation.issuer);
  try {
    await work({ store, installation, by });
  } finally {
    await store.destroy();
  }
}

/** Prints JSON for a script, on one line. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
