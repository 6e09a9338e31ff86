import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Report } from '../backup/report.ts';
import { readInstallation } from '../config/config.ts';
import { Problem } from '../problem/problem.ts';
import { saveMemory } from '../process/save-memory.ts';
import type { DatabaseFile } from '../store/engine.ts';
import { openForAdministration } from '../store/open-for-issuer.ts';
import { count } from '../text/count.ts';
import { isoTime } from '../text/iso-time.ts';
import { inFull } from '../text/time.ts';
import { printJson } from './administer.ts';

interface BackupOptions {
  check?: boolean;
  force?: boolean;
  json?: boolean;
}

/** `vouch-server backup` */
export function addBackup(program: Command): void {
  program
    .command('backup')
    .description('copy the embedded database, in the state of one moment, while the server runs')
    .argument('[file]', 'the file to write, which must be new; - is standard output')
    .option(
      '--check',
      'check that the database that the settings name is whole: one that was restored for a trial, say',
    )
    .option('--force', 'replace the file')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The file has mode 0600, and is there only when it is whole. The master key is not in it: keep that too, and elsewhere.
A database of PostgreSQL is backed up with PostgreSQL's own means, such as pg_dump. --check then proves that what was restored from
them, into another database, is a whole one of this server, which the master key opens; it changes nothing.

Examples:
  vouch-server backup /var/backups/vouch-$(date +%F).db
  vouch-server backup - | age -R backup.pub > vouch.db.age`,
    )
    .action(backup);
}

async function backup(file: string | undefined, options: BackupOptions): Promise<void> {
  const { check = false, force = false, json = false } = options;
  if ((file === undefined) !== check) {
    throw new Problem({
      kind: 'option-refused',
      what: 'Name a file to write, or say --check, and only one of them.',
      fix: 'To check a file: vouch-server restore FILE --dry-run',
    });
  }
  if (file === undefined) {
    const { checkBackup } = await import('./backup-check.ts');
    return checkBackup(json);
  }
  const { database } = readInstallation(process.env);
  const databaseFile = await database.file?.();
  if (databaseFile === undefined) {
    throw new Problem({
      kind: 'option-refused',
      what: `The database ${database.name} is a server's, which backs it up itself.`,
      why: 'It can do more than a copy: put the database back to any moment.',
      fix: 'Use its continuous archiving or pg_dump. Restore one into another database, and there: vouch-server backup --check',
    });
  }
  if (file === '-') return toOutput(databaseFile, json);
  const { writeFile } = await import('../backup/write-file.ts');
  const written = await writeFile(file, force);
  if (!('report' in written)) {
    process.stderr.write(written.errors);
    process.exitCode = written.code;
    return;
  }
  const { report } = written;
  if (json) printJson(reportJson(report, file));
  else process.stdout.write(reportText(report, file, database.masterKeyFile));
  if (!report.whole) throw notWhole();
}

/** Writes the copy to standard output, and what it is to standard error. */
async function toOutput(file: DatabaseFile, json: boolean): Promise<void> {
  if (process.stdout.isTTY) {
    throw new Problem({
      kind: 'option-refused',
      what: 'Standard output is a terminal.',
      fix: 'Name a file, or lead it into a program: vouch-server backup - | …',
    });
  }
  saveMemory();
  const { issuer, database } = readInstallation(process.env);
  const { readContent } = await import('../backup/content.ts');
  const { reportOf } = await import('../backup/report.ts');
  const { removeAtSignals } = await import('../backup/remove-at-signals.ts');
  const store = await openForAdministration(database, issuer);
  await store.destroy();
  const backedUpAt = Date.now();
  const copy = file.copy(backedUpAt);
  const forget = removeAtSignals(copy);
  try {
    const draft = await file.openDraft(copy);
    const content = await readContent(draft).finally(() => draft.destroy());
    file.check(copy);
    const hash = createHash('sha256');
    const counted = new Transform({
      transform(chunk, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(createReadStream(copy), counted, process.stdout, { end: false });
    const report = reportOf(content, { backedUpAt, bytes: statSync(copy).size, sha256: hash.digest('hex') });
    process.stderr.write(
      json ? `${JSON.stringify({ backup: report })}\n` : reportText(report, undefined, database.masterKeyFile),
    );
    if (!report.whole) throw notWhole();
  } finally {
    file.discard(copy);
    forget();
  }
}

function reportJson({ backedUpAt, last, ...report }: Report, file: string) {
  return { file, ...report, backedUpAt: isoTime(backedUpAt), lastId: last.id, lastHash: last.hash };
}

function reportText(report: Report, file: string | undefined, masterKeyFile: string | undefined): string {
  const rows = count(report.auditRows, 'audit row');
  const { VOUCH_MASTER_KEY_FILE: keyFile = masterKeyFile, VOUCH_MASTER_KEY: key } = process.env;
  const kept = key === undefined ? keyFile : 'VOUCH_MASTER_KEY';
  const lines = [
    `Backed up ${report.issuer} as of ${inFull(report.backedUpAt)}`,
    ...(file === undefined ? [] : [`  File         ${file}`]),
    `  Contains     ${count(report.people, 'person', 'people')}, ${count(report.keys, 'key')}, ${rows}`,
    `  SHA-256      ${report.sha256}`,
    ...(report.last.id === 0 ? [] : [`  Last hash    ${report.last.hash}`]),
    `The master key is not in it (${kept}): keep that too, and elsewhere.`,
  ];
  return `${lines.join('\n')}\n`;
}

function notWhole(): Problem {
  return new Problem({
    kind: 'audit-broken',
    what: 'The backup was made, but its audit trail does not fit together.',
    why: 'Somebody changed the database with a program other than Vouch, or its disk damaged it.',
    fix: 'See where: vouch-server audit verify',
  });
}
