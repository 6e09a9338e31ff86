import { backup, DatabaseSync } from 'node:sqlite';

/** As much of SQLite's own command as the docs use, for machines that have none: `sqlite3 FILE ".backup COPY"`. */
const [, , file = '', command = ''] = process.argv;
const copy = /^\.backup (\S+)$/.exec(command)?.[1];
if (copy === undefined) throw new Error(`not known: ${command}`);
const database = new DatabaseSync(file);
await backup(database, copy);
database.close();
