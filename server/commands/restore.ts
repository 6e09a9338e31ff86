import { createReadStream, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Restored } from '../backup/restore.ts';
import { readInstallation, readSigningInstallation } from '../config/config.ts';
import { Problem } from '../problem/problem.ts';
import { saveMemory } from '../process/save-memory.ts';
import { whoRuns } from '../process/system-user.ts';
import type { Store } from '../store/store.ts';
import { count } from '../text/count.ts';
import { isoTime } from '../text/iso-time.ts';
import { inFull } from '../text/time.ts';
import { printJson } from './administer.ts';
import { rowLine } from './audit/line.ts';
import { sayEnded } from './ended.ts';
import { withKeyRing } from './key-ring.ts';

/** How many rows of what is lost a terminal shows. */
const SHOWN = 40;

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
    .option('--replace', 'even if there is a database: it gets another name')
    .option('--in-place', 'the database is there already: PostgreSQL has restored it, or it is a snapshot of a disk')
    .option('--keep-sessions', 'let sessions go on')
    .option('--keep-invitations', 'let open invitations be open')
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
  const installation = readInstallation(process.env);
  const { database } = installation;
  const source = name === undefined ? undefined : read(name);
  const { restore, settle } = await import('../backup/restore.ts');
  const { hasSigningKey } = await import('../signing/key-rows.ts');
  const now = Date.now();
  const how = {
    issuer: settings.issuer,
    keep: { sessions: options.keepSessions ?? false, invitations: options.keepInvitations ?? false },
    force,
    dryRun,
    by,
    checkSigningKey: async (store: Store) => {
      if (!(await hasSigningKey(store))) return;
      await withKeyRing({ store, installation, by }, settings, async (keys) => keys.current());
    },
  };
  const file = await database.file?.();
  let restored: Restored;
  if (source === undefined) {
    file?.becomeOwner();
    file?.checkUnused();
    const store = await database.openExisting();
    const done = await settle(store, now, how).finally(() => store.destroy());
    restored = { ...done, aside: undefined, lost: undefined };
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
  if (json) printJson(asJson(restored, database.name, dryRun));
  else process.stdout.write(asText(restored, database.name, { now, dryRun, inPlace }));
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

function asJson({ backup, settled, aside, lost }: Restored, database: string, dryRun: boolean) {
  return {
    restored: !dryRun,
    database,
    issuer: backup.issuer,
    backedUpAt: isoTime(backup.backedUpAt),
    people: backup.people,
    keys: backup.keys,
    auditRows: backup.trail.rows,
    lastId: backup.trail.head.id,
    lastHash: backup.trail.head.hash,
    whole: backup.trail.fault === undefined,
    invitationsVoided: settled.invitations,
    sessionsEnded: settled.sessions.length,
    browserSessionsEnded: settled.browsers,
    before: aside ?? null,
    lostAuditRows: lost?.rows ?? null,
    lost:
      lost?.takenBack.map(({ id, at, event, subject, actor }) => ({ id, at: isoTime(at), event, subject, actor })) ??
      null,
  };
}

function asText(
  { backup, settled, aside, lost }: Restored,
  database: string,
  { now, dryRun, inPlace }: { now: number; dryRun: boolean; inPlace: boolean },
): string {
  const ended = [
    ...(settled.invitations > 0 ? [count(settled.invitations, 'open invitation')] : []),
    ...[sayEnded(settled)].filter((words) => words !== undefined),
  ].join(', ');
  const rows = count(backup.trail.rows, 'audit row');
  const tried = inPlace ? 'This database can be settled: ' : 'This backup can be restored: ';
  const done = inPlace ? 'Settled the database of ' : 'Restored ';
  const lines = [
    `${dryRun ? tried : done}${backup.issuer} ${when(backup)}`,
    `  Database     ${database}`,
    `  Contains     ${count(backup.people, 'person', 'people')}, ${count(backup.keys, 'key')}, ${rows}`,
    ...(ended === '' ? [] : [`  ${dryRun ? 'Would end' : 'Ended    '}    ${ended}`]),
    ...(aside === undefined ? [] : [`  Before       ${aside}`]),
  ];
  if (lost === undefined) return `${[...lines, ...unknown(backup)].join('\n')}\n`;
  if (lost.rows === 0) return `${[...lines, 'Nothing had happened since.'].join('\n')}\n`;
  const shown = lost.takenBack.slice(-SHOWN).map((row) => `  ${rowLine(row).trimEnd()}`);
  lines.push(`${count(lost.rows, 'audit row')} of the time since ${lost.rows === 1 ? 'is' : 'are'} not in it.`);
  if (shown.length > 0) lines.push('What of that you want, do again:', ...shown);
  if (lost.takenBack.length > SHOWN) lines.push(`  … and ${lost.takenBack.length - SHOWN} before these`);
  lines.push(...afterwards(backup));
  return `${lines.join('\n')}\n`;

  function when({ backedUpAt, lastRowAt }: Restored['backup']): string {
    const at = backedUpAt ?? lastRowAt ?? now;
    return `as of ${backedUpAt === null ? 'some time after ' : ''}${inFull(at)}`;
  }
}

/** What nobody can tell, and where to look. */
function unknown(backup: Restored['backup']): string[] {
  return [
    'What happened since is not in it, and this command cannot know it:',
    '  people who were disabled, removed or demoted, and keys that were removed, are back:  vouch-server people list',
    '  people and keys that were enrolled are gone:  vouch-server invite',
    '  a signing key that was revoked since is back:  vouch-server signing-keys list',
    '  roles at AWS that were used are not in the trail, so aws-revoke does not find them',
    ...afterwards(backup),
  ];
}

function afterwards(backup: Restored['backup']): string[] {
  return [`What follows the audit trail elsewhere goes on from: audit export --since ${backup.trail.head.id}`];
}
