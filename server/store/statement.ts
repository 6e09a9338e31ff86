import type { Compilable, CompiledQuery } from 'kysely';
import type { Store } from './store.ts';

/** Stands in a compiled statement for a value that is known when it runs. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Called for arithmetic and comparisons, which would happen once instead of each time. */
  [Symbol.toPrimitive](): never {
    throw new Error(`the value ${this.name} is not known while the statement is built`);
  }
}

/**
 * A statement that every request needs: Kysely builds and compiles it once for each engine, which takes longer than most statements run.
 *
 * @param build gets placeholders for the values. It may put them into the statement, but do nothing else with them.
 * @returns runs the statement with values. It returns the rows.
 */
export function statement<Values extends object, Row>(
  build: (store: Store, values: Values) => Compilable<Row>,
): (store: Store, values: Values) => Promise<Row[]> {
  const placeholders = new Proxy({} as Values, { get: (_values, name) => new Placeholder(String(name)) });
  // Transactions have the adapter of their database, which is its dialect's.
  const compiled = new WeakMap<object, CompiledQuery<Row>>();
  return async (store, values) => {
    const { adapter } = store.getExecutor();
    let query = compiled.get(adapter);
    if (query === undefined) {
      query = build(store, placeholders).compile();
      compiled.set(adapter, query);
    }
    const parameters = query.parameters.map((value) =>
      value instanceof Placeholder ? values[value.name as keyof Values] : value,
    );
    const { rows } = await store.executeQuery<Row>({ ...query, parameters });
    return rows;
  };
}
