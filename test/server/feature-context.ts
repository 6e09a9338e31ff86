import { createHash } from 'node:crypto';
import { pino } from 'pino';
import { readConfig } from '../../server/config/config.ts';
import type { Context } from '../../server/context.ts';
import { DatabaseKeyRing } from '../../server/signing/key-ring.ts';
import { makeDatabase } from './engines.ts';

/** What a feature receives, with its own database and without a server around it. */
export interface FeatureContext {
  context: Context;
  databaseUrl: string;
  close: () => Promise<void>;
}

/** The time on the context's clock, which stands still at a full second. A test may replace `context.now`. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

export async function openContext(settings: Record<string, string> = {}): Promise<FeatureContext> {
  const database = await makeDatabase();
  const config = readConfig({
    VOUCH_ISSUER: 'http://localhost:3000',
    ...database.settings,
    ...settings,
  });
  const store = await config.database.open();
  const master = createHash('sha256').update('master').digest();
  const keys = await DatabaseKeyRing.open(store, master, { now: () => NOW, elapsed: () => 0 });
  return {
    context: {
      config,
      store,
      keys,
      keyPolicy: () => ({ ...config.keyRules, metadata: undefined }),
      log: pino({ level: 'silent' }),
      now: () => NOW,
    },
    databaseUrl: database.settings.VOUCH_DATABASE_URL,
    close: async () => {
      await store.destroy();
      await database.drop();
    },
  };
}
