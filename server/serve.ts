import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import type { Context } from './context.ts';
import { masterKey } from './keys/master-key.ts';
import { currentSigningKey } from './keys/signing-key.ts';
import { openSqliteStore } from './store/store.ts';
import { sweep } from './store/sweep.ts';

const SWEEP_EVERY_MS = 60_000;

export interface RunningServer {
  context: Context;
  address: AddressInfo;
  /** Lets requests under way end, then closes the database. */
  close: () => Promise<void>;
}

/**
 * Starts the server: opens the store, makes or reads the signing key, listens.
 *
 * @throws when a setting, the database or the address cannot be used; then nothing is left open
 */
export async function serve(config: Config): Promise<RunningServer> {
  const log = pino({ level: config.logLevel, base: undefined, timestamp: pino.stdTimeFunctions.isoTime });
  const master = masterKey(config);
  const store = await openSqliteStore(config.sqliteFile);
  try {
    const signingKey = await currentSigningKey(store, master, Date.now());
    const context: Context = { config, store, log, signingKey, now: Date.now };
    const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, createApp(context, master));
    await listen(server, config.listen);
    const sweeping = setInterval(() => {
      sweep(store, context.now(), config.auditDays).catch((err) => log.error({ err }, 'sweep failed'));
    }, SWEEP_EVERY_MS);
    const address = server.address() as AddressInfo;
    log.info({ issuer: config.issuer, address: address.address, port: address.port }, 'listening');
    return {
      context,
      address,
      close: async () => {
        clearInterval(sweeping);
        await new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeIdleConnections();
        });
        await store.destroy();
      },
    };
  } catch (error) {
    await store.destroy();
    throw error;
  }
}

function listen(server: Server, address: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
