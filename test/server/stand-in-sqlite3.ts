import { backup, DatabaseSync } from 'node:sqlite';

/** The part of SQLite's own command that the docs use, for machines without it: `sqlite3 FILE ".backup COPY"`. */
const [, , file = '', command = ''] = process.argv;
const copy = /^\.backup (\S+)$/.exec(command)?.[1];
if (copy === undefined) throw new Error(`unknown command: ${command}`);
const database = new DatabaseSync(file);
await backup(database, copy);
database.close();
