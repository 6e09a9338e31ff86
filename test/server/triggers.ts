import { sql } from 'kysely';
import type { Context } from '../../server/context.ts';

/** What a trigger does: it runs a statement, or makes the statement that caused it fail. */
type Action = { when?: string } & ({ run: string } | { fail: string });

/**
 * Adds a trigger, on either engine.
 *
 * @param event such as `before insert on audit`
 * @returns a function that removes it
 */
export async function addTrigger(
  { store, config }: Pick<Context, 'store' | 'config'>,
  event: string,
  action: Action,
): Promise<() => Promise<void>> {
  const run = async (statement: string) => void (await sql.raw(statement).execute(store));
  const { when } = action;
  if (config.database.kind === 'sqlite') {
    const what = 'run' in action ? action.run : `select raise(abort, '${action.fail}')`;
    await run(`create trigger of_test ${event} ${when === undefined ? '' : `when ${when}`} begin ${what}; end`);
    return () => run('drop trigger of_test');
  }
  const what = 'run' in action ? action.run : `raise exception '${action.fail}'`;
  await run(`create function of_test() returns trigger language plpgsql as $$
    begin
      if ${when ?? 'true'} then ${what}; end if;
      if tg_op = 'DELETE' then return old; end if;
      return new;
    end $$`);
  await run(`create trigger of_test ${event} for each row execute function of_test()`);
  return () => run('drop function of_test cascade');
}
