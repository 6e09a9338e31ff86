import { pino } from 'pino';
import { createApp } from './app.ts';
import type { Config } from './config/config.ts';
import type { Context } from './context.ts';
import { listen } from './network/listen.ts';
import { masterKey } from './signing/master-key.ts';
import { currentSigningKey, hasSigningKey } from './signing/stored-key.ts';
import { openForServing } from './store/open-for-issuer.ts';
import { Sweeper } from './store/sweep.ts';
import { version } from './version.ts';

const SWEEP_EVERY_MS = 60_000;

export interface RunningServer {
  context: Context;
  /** Gives running requests up to 20 seconds to end, then closes the database. */
  close: () => Promise<void>;
}

/**
 * Starts the server: opens the database, makes or reads the signing key, and listens.
 *
 * @throws when the database, the master key or an address cannot be used; nothing stays open then
 */
export async function serve(config: Config): Promise<RunningServer> {
  const log = pino({ level: config.logLevel, base: undefined, timestamp: pino.stdTimeFunctions.isoTime });
  log.info({ version, node: process.versions.node, issuer: config.issuer, database: config.database.name }, 'starting');
  const store = await openForServing(config.database, config.issuer, Date.now());
  try {
    const master = masterKey(config.masterKey, config.database, await hasSigningKey(store));
    const signingKey = await currentSigningKey(store, master, Date.now());
    const context: Context = { config, store, log, signingKey, now: Date.now };
    const listeners = await listen(config.listen, createApp(context, master));
    const sweeper = new Sweeper(store, config.auditDays);
    const sweeping = setInterval(() => {
      sweeper.sweep(context.now()).catch((err) => log.error({ err }, 'sweep failed'));
    }, SWEEP_EVERY_MS);
    if (listeners.missing.length > 0) log.warn({ addresses: listeners.missing }, 'this machine has no such address');
    log.info({ issuer: config.issuer, addresses: listeners.addresses }, 'listening');
    return {
      context,
      close: async () => {
        clearInterval(sweeping);
        await listeners.close();
        await store.destroy();
      },
    };
  } catch (error) {
    await store.destroy();
    throw error;
  }
}
