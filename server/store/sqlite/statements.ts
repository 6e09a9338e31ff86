import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { QueryResult } from 'kysely';

/** The most statements that stay prepared. The server has fewer; those of lists have as many shapes as there are filters. */
const MOST = 200;

interface Prepared {
  statement: StatementSync;
  /** Whether it has rows, even if there are none. */
  hasRows: boolean;
}

/**
 * The statements of one connection, prepared once: preparing takes longer than most of them run. SQLite prepares a statement again by
 * itself when the schema has changed (sqlite.org/c3ref/prepare.html).
 */
export class Statements {
  readonly #database: DatabaseSync;
  /** By their text, the one that was used last at the end. */
  readonly #prepared = new Map<string, Prepared>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Runs one statement to its end. */
  run<Row>({ sql, parameters }: { sql: string; parameters: readonly unknown[] }): QueryResult<Row> {
    const { statement, hasRows } = this.#prepare(sql);
    const values = parameters as SQLInputValue[];
    if (hasRows) return { rows: statement.all(...values) as Row[] };
    const { changes, lastInsertRowid } = statement.run(...values);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) {
      const statement = this.#database.prepare(sql);
      prepared = { statement, hasRows: statement.columns().length > 0 };
    } else {
      this.#prepared.delete(sql);
    }
    this.#prepared.set(sql, prepared);
    if (this.#prepared.size > MOST) {
      const [oldest = ''] = this.#prepared.keys();
      this.#prepared.delete(oldest);
    }
    return prepared;
  }
}
