import type { Command } from 'commander';
import { readInstallation } from '../config/config.ts';
import type { SchemaVersion } from '../store/schema-version.ts';
import { count } from '../text/count.ts';
import { printJson } from './administer.ts';

interface MigrateOptions {
  check?: boolean;
  json?: boolean;
}

/** `vouch-server migrate` */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description("bring the database's schema up to date, as each start of the server does")
    .option('--check', 'only say what there is to do; the exit code is 1 if there is something')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Run it before you start the servers of a new version, with a database user who owns the tables: the servers' own user then needs no right
to change tables. Servers of the version before may go on meanwhile.`,
    )
    .action(migrate);
}

async function migrate({ check, json }: MigrateOptions): Promise<void> {
  const { checkNotNewer } = await import('../store/schema-version.ts');
  const { database } = readInstallation(process.env);
  const version = await database.version();
  checkNotNewer(version, database.name);
  if (!check && !version.usable) await (await database.open()).destroy();
  const { pending, newer } = version;
  if (json) printJson({ ...(check ? { pending } : { done: pending, pending: [] }), newer });
  else process.stdout.write(`${textOf(version, database.name, check === true)}\n`);
  if (check && pending.length > 0) process.exitCode = 1;
}

function textOf({ pending, newer }: SchemaVersion, name: string, check: boolean): string {
  const migrations = count(pending.length, 'migration', 'migrations');
  if (pending.length > 0) return `${name}: ${migrations} ${check ? 'to do' : 'done'}: ${pending.join(', ')}`;
  if (newer.length === 0) return `The schema of ${name} is up to date.`;
  return `The schema of ${name} is a newer version's, and this version can use it: ${newer.join(', ')}`;
}
