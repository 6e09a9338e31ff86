import type { Command } from 'commander';
import { readConnecting } from '../config/database.ts';
import { checkNames } from '../config/setting-names.ts';
import type { Copied, Progress } from '../database-copy/copy.ts';
import { Problem } from '../problem/problem.ts';
import { whoRuns } from '../process/system-user.ts';
import { chooseEngine } from '../store/choose-engine.ts';
import type { Engine } from '../store/engine.ts';
import { count } from '../text/count.ts';
import { printJson } from './administer.ts';

interface CopyOptions {
  live?: boolean;
  json?: boolean;
}

/** `vouch-server db` */
export function addDb(program: Command): void {
  program
    .command('db')
    .description('copy the whole database, from SQLite to PostgreSQL or back')
    .command('copy')
    .description('copy all of a database to an empty one: from SQLite to PostgreSQL, or back')
    .argument('<from>', 'such as sqlite:/var/lib/vouch/vouch.db')
    .argument('[to]', 'such as postgres://vouch@db.example.com/vouch; by default VOUCH_DATABASE_URL')
    .option('--live', 'even while a server uses <from>; the copy lacks what happens meanwhile')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Stop the server first, and start it on the copy afterwards. All of it is copied, or nothing: rows are counted, and the audit trail is proven
before and after. The signing keys stay encrypted under the same master key. PostgreSQL's password does not belong
on the command line: VOUCH_DATABASE_PASSWORD_FILE or VOUCH_DATABASE_PASSWORD_COMMAND gives it.

Example:
  vouch-server db copy sqlite:/var/lib/vouch/vouch.db \\
    postgres://vouch@db.example.com/vouch`,
    )
    .action(copy);
}

async function copy(from: string, to: string | undefined, { live = false, json = false }: CopyOptions): Promise<void> {
  const by = whoRuns();
  checkNames(process.env);
  for (const url of [from, to]) if (url !== undefined) refusePassword(url);
  const connecting = readConnecting(process.env);
  const source = chooseEngine(from, connecting);
  const target = chooseEngine(to ?? targetOf(process.env), connecting);
  for (const engine of [source, target]) await checkVersion(engine);
  await checkUnused(source, live);
  const { copyDatabase } = await import('../database-copy/copy.ts');
  const sourceStore = await source.openExisting();
  try {
    const targetStore = await target.open();
    try {
      const copied = await copyDatabase(
        { store: sourceStore, name: source.name },
        { store: targetStore, name: target.name },
        by,
        Date.now(),
        json || !process.stderr.isTTY ? undefined : showProgress,
      );
      if (json) printJson({ from: source.name, to: target.name, ...copied });
      else process.stdout.write(textOf(copied, source, target));
    } finally {
      await targetStore.destroy();
    }
  } finally {
    await sourceStore.destroy();
  }
}

/** Every user of the machine can read a command line. */
function refusePassword(url: string): void {
  if (!/^[a-z]+:\/\/[^/?#]*:[^/?#]*@/i.test(url)) return;
  throw new Problem({
    kind: 'option-refused',
    what: 'A password does not belong on the command line, where other users of this machine can read it.',
    fix: 'Leave it out, and set VOUCH_DATABASE_PASSWORD_FILE or VOUCH_DATABASE_PASSWORD_COMMAND. Change that password.',
  });
}

function targetOf({ VOUCH_DATABASE_URL: url }: Record<string, string | undefined>): string {
  if (url !== undefined) return url;
  throw new Problem({
    kind: 'option-refused',
    what: 'Where should the copy go?',
    fix: 'Name the database, or set VOUCH_DATABASE_URL to what the servers will use.',
  });
}

/** Both must have the tables that this version knows, and no others. */
async function checkVersion(engine: Engine): Promise<void> {
  const { newer } = await engine.version();
  if (newer.length === 0) return;
  throw new Problem({
    kind: 'database-refused',
    what: `The database ${engine.name} belongs to a newer version of Vouch (${newer.join(', ')}).`,
    fix: "Copy it with that version's vouch-server.",
  });
}

/** Nobody may change the source meanwhile. */
async function checkUnused(source: Engine, live: boolean): Promise<void> {
  const file = await source.file?.();
  file?.becomeOwner();
  if (file?.exists() && !live) file.checkUnused();
}

const showProgress: Progress = (table, copied, total) => {
  const end = copied === total ? '\n' : '';
  process.stderr.write(`\r${table}: ${copied} of ${total}\x1b[K${end}`);
};

function textOf({ rows, trail, missed }: Copied, source: Engine, target: Engine): string {
  const tables = Object.entries(rows)
    .filter(([, number]) => number > 0)
    .map(([table, number]) => `  ${table.padEnd(18)} ${number}`);
  const keyFile =
    source.masterKeyFile === undefined
      ? []
      : [
          `The signing keys are encrypted under the same master key as before: ${source.masterKeyFile}, if no other was set.`,
        ];
  return `${[
    `Copied ${source.name} to ${target.name}:`,
    ...tables,
    `The audit trail is whole in both: ${count(trail.rows, 'row')}, the last one ${trail.head.id} (${trail.head.hash}).`,
    ...(missed > 0
      ? [`${count(missed, 'row')} of the audit trail came since the copy began, and what caused them is not in it.`]
      : []),
    ...keyFile,
    `Start no server on ${source.name} again.`,
  ].join('\n')}\n`;
}
