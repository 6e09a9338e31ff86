import { DatabaseSync } from 'node:sqlite';

/** A program that takes a database's write lock, as `sqlite3` in an administrator's hand would, until its input ends. */
const [, , file = ''] = process.argv;
const database = new DatabaseSync(file);
database.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
process.stdin.resume().once('end', () => {
  database.exec('ROLLBACK');
  database.close();
});
