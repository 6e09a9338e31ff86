import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { readAddress } from '../../server/store/postgres/address.ts';
import { PostgresEngine } from '../../server/store/postgres/engine.ts';
import { Cluster } from './postgres-cluster.ts';

/** What the tests of one run share. */
interface Shared {
  /** The URL of a database whose user may make others. */
  url: string;
  /** The name of a database with today's schema, which others are copies of. */
  template: string;
}

/** The variable that tells the tests' processes at which socket to ask for PostgreSQL. */
const SOCKET = 'TESTS_POSTGRES_SOCKET';

/**
 * Starts PostgreSQL when the first test asks for it, once for all tests of a run. VOUCH_TEST_DATABASE_URL names another one, whose user
 * may make databases.
 *
 * @param folder of all that tests write
 * @returns a function that stops it
 */
export async function offerPostgres(folder: string): Promise<() => Promise<void>> {
  let cluster: Cluster | undefined;
  let shared: Promise<Shared> | undefined;
  const start = async () => {
    let url = process.env.VOUCH_TEST_DATABASE_URL;
    if (url === undefined) {
      cluster = await Cluster.make(join(folder, 'pg'));
      await cluster.start();
      url = cluster.url('postgres');
    }
    const template = newName();
    await administer(url, `create database ${template}`);
    await (await new PostgresEngine(withDatabase(url, template), undefined, 2).open()).destroy();
    return { url, template };
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    shared ??= start();
    shared.then(
      (found) => socket.end(JSON.stringify(found)),
      (error: Error) => socket.end(JSON.stringify({ failed: error.stack })),
    );
  });
  process.env[SOCKET] = join(folder, 'ask-pg');
  server.listen(process.env[SOCKET]);
  await once(server, 'listening');
  return async () => {
    server.close();
    const found = await shared?.catch(() => undefined);
    if (cluster !== undefined) await cluster.stop();
    else if (found !== undefined) await administer(found.url, `drop database if exists ${found.template}`);
  };
}

/** A database in PostgreSQL. */
export interface TestDatabase {
  url: string;
  drop: () => Promise<void>;
}

/** Makes a database. @param how 'empty' for one without Vouch's schema */
export async function createDatabase(how?: 'empty'): Promise<TestDatabase> {
  const { url, template } = await ask();
  const name = newName();
  await administer(url, `create database ${name} template ${how === 'empty' ? 'template0' : template}`);
  return {
    url: withDatabase(url, name),
    drop: () => administer(url, `drop database if exists ${name} with (force)`),
  };
}

/** A connection of its own to a database. */
export function clientOf(url: string): pg.Client {
  const { host, port, user, password, database, tls } = readAddress(url);
  return new pg.Client({ host, port, user, password, database, ssl: tls as false });
}

/** Runs statements in a database, as its administrator might. */
export async function administer(url: string, ...statements: string[]): Promise<void> {
  const client = clientOf(url);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

let asked: Promise<Shared> | undefined;

function ask(): Promise<Shared> {
  asked ??= (async () => {
    const path = process.env[SOCKET];
    if (path === undefined) throw new Error('nobody offers PostgreSQL: test/global-setup.ts has not run');
    const answer = JSON.parse(await text(connect(path))) as Shared & { failed?: string };
    if (answer.failed !== undefined) throw new Error(answer.failed);
    return answer;
  })();
  return asked;
}

function newName(): string {
  return `vouch_${randomBytes(6).toString('hex')}`;
}

function withDatabase(url: string, name: string): string {
  const found = new URL(url);
  found.pathname = `/${name}`;
  return found.href;
}
