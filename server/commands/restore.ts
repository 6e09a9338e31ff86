import { createReadStream, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Restored } from '../backup/restore.ts';
import { readSigningInstallation } from '../config/config.ts';
import { Problem } from '../problem/problem.ts';
import { saveMemory } from '../process/save-memory.ts';
import { whoRuns } from '../process/system-user.ts';
import type { Store } from '../store/store.ts';
import { printJson } from './administer.ts';
import { withKeyRing } from './key-ring.ts';
import { restoredJson, restoredText } from './restore-output.ts';

interface RestoreOptions {
  replace?: boolean;
  inPlace?: boolean;
  keepSessions?: boolean;
  keepInvitations?: boolean;
  dryRun?: boolean;
  force?: boolean;
  json?: boolean;
}

/** `vouch-server restore` */
export function addRestore(program: Command): void {
  program
    .command('restore')
    .description('put a backup in place, or settle a database that others have restored')
    .argument('[file]', 'what `vouch-server backup` has written; - is standard input')
    .option('--replace', 'even if there is a database already: that one gets another name')
    .option('--in-place', 'the database is there already: PostgreSQL has restored it, or it is a snapshot of a disk')
    .option('--keep-sessions', 'keep sessions')
    .option('--keep-invitations', 'keep open invitations open')
    .option('--dry-run', 'check the backup, say what would happen, and change nothing')
    .option('--force', 'even if its audit trail does not fit together, or the master key does not open its signing key')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Stop the server first. A restored database knows nothing of what happened since the backup: invitations that were used are open
again, and sessions that were ended. So all of these are voided, and everybody signs in again. It says what else may be lost.

Examples:
  vouch-server restore /var/backups/vouch-2026-11-26.db
  age -d -i key.txt vouch.db.age | vouch-server restore - --replace`,
    )
    .action(restoreCommand);
}

async function restoreCommand(name: string | undefined, options: RestoreOptions): Promise<void> {
  const { replace = false, inPlace = false, dryRun = false, force = false, json = false } = options;
  if ((name === undefined) !== inPlace) {
    throw new Problem({
      kind: 'option-refused',
      what: 'What is to be restored? Name a backup, or say --in-place, and only one of them.',
    });
  }
  saveMemory();
  const by = whoRuns();
  // All before the process may become another user.
  const settings = readSigningInstallation(process.env);
  const { database } = settings;
  const source = name === undefined ? undefined : read(name);
  const { restore, settle } = await import('../backup/restore.ts');
  const { allRows, hasSigningKey } = await import('../signing/key-rows.ts');
  const { findKey } = await import('../signing/find-key.ts');
  const { revokeNow } = await import('../signing/rotation/revoke.ts');
  const now = Date.now();
  const how = {
    issuer: settings.issuer,
    keep: { sessions: options.keepSessions ?? false, invitations: options.keepInvitations ?? false },
    force,
    dryRun,
    by,
    checkSigningKey: async (store: Store) => {
      if (!(await hasSigningKey(store))) return;
      await withKeyRing({ store, installation: settings, by }, settings, async (keys) => keys.current());
    },
    revokeKeys: async (store: Store, kids: readonly string[]) => {
      const rows = (await allRows(store)).filter((row) => row.revoked_at === null && kids.includes(row.kid));
      try {
        for (const { kid } of rows) {
          const key = await findKey(store, kid);
          // One revocation may take the next key with it.
          if (key.revoked_at !== null) continue;
          await withKeyRing({ store, installation: settings, by }, settings, (keys) =>
            revokeNow(store, keys, key, now, by),
          );
        }
      } catch (error) {
        // What the master key does not open signs nothing.
        if (force && error instanceof Problem && error.kind === 'signing-key-locked') return [];
        throw error;
      }
      return rows.map(({ kid }) => kid);
    },
  };
  const file = await database.file?.();
  let restored: Restored;
  if (source === undefined) {
    file?.becomeOwner();
    file?.checkUnused();
    const store = await database.openExisting();
    const done = await settle(store, now, how).finally(() => store.destroy());
    restored = { ...done, revoked: [], aside: undefined, lost: undefined };
  } else {
    if (file === undefined) {
      throw new Problem({
        kind: 'option-refused',
        what: `The database ${database.name} is a server's, which restores it itself.`,
        fix: 'When it has done so: vouch-server restore --in-place',
      });
    }
    file.becomeOwner();
    restored = await restore(database, file, source, replace, now, how);
  }
  if (json) printJson(restoredJson(restored, database.name, dryRun));
  else process.stdout.write(restoredText(restored, database.name, { now, dryRun, inPlace }));
}

/** Opens a backup at once: later this process may be a user who may not. */
function read(name: string): Readable {
  if (name === '-') return process.stdin;
  try {
    return createReadStream(name, { fd: openSync(name, 'r') });
  } catch (error) {
    throw new Problem({ kind: 'option-refused', what: `${name} cannot be read: ${(error as Error).message}` });
  }
}
