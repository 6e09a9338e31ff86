import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { readConfig } from '../../server/config/config.ts';
import type { Context } from '../../server/context.ts';
import { DatabaseKeyRing } from '../../server/signing/key-ring.ts';
import { openFile } from '../../server/store/sqlite/open-store.ts';

/** What a feature receives, with its own database and without a server around it. */
export interface FeatureContext {
  context: Context;
  close: () => Promise<void>;
}

/** The time on the context's clock, which stands still at a full second. A test may replace `context.now`. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

export async function openContext(settings: Record<string, string> = {}): Promise<FeatureContext> {
  const folder = mkdtempSync(join(tmpdir(), 'v-'));
  const database = join(folder, 'vouch.db');
  const config = readConfig({
    VOUCH_ISSUER: 'http://localhost:3000',
    VOUCH_DATABASE_URL: `sqlite:${database}`,
    ...settings,
  });
  const store = await openFile(database);
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
    close: async () => {
      await store.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
