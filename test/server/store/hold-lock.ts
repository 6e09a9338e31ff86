import { DatabaseSync } from 'node:sqlite';

/** Holds a database's write lock until its input ends, as an administrator with `sqlite3` might. */
const [, , file = ''] = process.argv;
const database = new DatabaseSync(file);
database.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
process.stdin.resume().once('end', () => {
  database.exec('ROLLBACK');
  database.close();
});
