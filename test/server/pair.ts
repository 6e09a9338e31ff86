import { readConfig } from '../../server/config/config.ts';
import type { Context } from '../../server/context.ts';
import { type RunningServer, serve } from '../../server/serve.ts';
import { AlternatingProxy } from '../support/alternating-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { type EngineKind, engineUnderTest, makeDatabase } from './engines.ts';
import { startServer, type TestServer } from './support.ts';

/** Two instances of the server on one database, behind a proxy that sends every single request to the other one. */
export interface Pair extends TestServer {
  instances: readonly [RunningServer, RunningServer];
  proxy: AlternatingProxy;
}

/**
 * Starts both in this process, on a database of their own. `context` is the first one's, and its clock is that of both.
 *
 * @param engine by default the one under test
 * @param elapsed a monotonic clock, if not the real one
 */
export async function startPair(
  settings: Record<string, string> = {},
  engine?: EngineKind,
  elapsed?: () => number,
): Promise<Pair> {
  const database = await makeDatabase(engine);
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const ports = [await freePort(), await freePort()] as const;
  const start = (own: number) =>
    serve(
      readConfig({
        VOUCH_ISSUER: origin,
        VOUCH_LISTEN: `127.0.0.1:${own}`,
        ...database.settings,
        VOUCH_LOG_LEVEL: 'silent',
        VOUCH_TRUST_PROXY: '127.0.0.1,::1',
        ...settings,
      }),
      elapsed,
    );
  const instances = [await start(ports[0]), await start(ports[1])] as const;
  const proxy = await AlternatingProxy.open(port, ports);
  const [{ context }, other] = instances;
  // A test may replace it.
  Object.defineProperty(other.context, 'now', {
    get: () => context.now,
    set: (now: Context['now']) => {
      context.now = now;
    },
  });
  return {
    origin,
    context,
    databaseUrl: database.settings.VOUCH_DATABASE_URL,
    databaseFile: database.file,
    masterKey: Buffer.from(database.settings.VOUCH_MASTER_KEY, 'base64'),
    instances,
    proxy,
    reload: () => {
      for (const instance of instances) instance.reload();
    },
    everyMinute: async () => {
      for (const instance of instances) await instance.everyMinute();
    },
    close: async () => {
      await proxy.close();
      for (const instance of instances) await instance.close();
      await database.drop();
    },
  };
}

/** For journeys that run on both engines: with SQLite one server, and with PostgreSQL two that take turns, request by request. */
export function startUnderTest(): Promise<TestServer> {
  return engineUnderTest === 'sqlite' ? startServer() : startPair();
}
