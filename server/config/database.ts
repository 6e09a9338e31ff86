import { Problem } from '../problem/problem.ts';
import { settingRefused } from '../problem/setting-refused.ts';
import { type Connecting, chooseEngine, isPostgres } from '../store/choose-engine.ts';
import type { Engine } from '../store/engine.ts';
import type { PasswordSource } from '../store/postgres/password.ts';

type Environment = Record<string, string | undefined>;

/** What only PostgreSQL needs. */
const OF_POSTGRES = ['VOUCH_DATABASE_POOL', 'VOUCH_DATABASE_PASSWORD_FILE', 'VOUCH_DATABASE_PASSWORD_COMMAND'];

/**
 * Reads which database the server uses, and how it connects to it.
 *
 * @throws Problem `setting-refused`, which never shows a password
 */
export function readDatabase(env: Environment): Engine {
  const url = env.VOUCH_DATABASE_URL ?? 'sqlite:./vouch.db';
  const useless = OF_POSTGRES.find((name) => env[name] !== undefined);
  if (useless !== undefined && !isPostgres(url)) {
    throw new Problem({
      kind: 'setting-refused',
      what: `${useless} is set; it should be unset, because VOUCH_DATABASE_URL is not PostgreSQL's`,
    });
  }
  return chooseEngine(url, readConnecting(env));
}

/**
 * Reads how to connect to PostgreSQL, wherever it is.
 *
 * @throws Problem `setting-refused`
 */
export function readConnecting(env: Environment): Connecting {
  return { password: readPassword(env), poolSize: readPool(env) };
}

function readPassword(env: Environment): PasswordSource {
  const { VOUCH_DATABASE_PASSWORD_FILE: file, VOUCH_DATABASE_PASSWORD_COMMAND: command } = env;
  if (file === undefined) return command === undefined ? undefined : { command };
  if (command === undefined) return { file };
  throw settingRefused(
    'VOUCH_DATABASE_PASSWORD_FILE',
    file,
    'unset, or VOUCH_DATABASE_PASSWORD_COMMAND should be: only one of them may give the password',
  );
}

function readPool(env: Environment): number {
  const value = env.VOUCH_DATABASE_POOL ?? '10';
  const size = Number(value);
  // A transaction may read beside itself: with one connection it would wait for itself.
  if (!/^\d{1,3}$/.test(value) || size < 2) {
    throw settingRefused('VOUCH_DATABASE_POOL', value, 'the most connections of one server, a number from 2 to 999');
  }
  return size;
}
