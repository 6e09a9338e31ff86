import type { Context } from '../context.ts';
import type { Publication } from '../public-documents/publication.ts';
import { checkSigns } from '../signing/check-key.ts';
import { checkMigrated, checkWritable } from '../store/health.ts';
import { Readiness } from './readiness.ts';

/** How long it is believed that the key signs, in milliseconds: signing elsewhere costs money. */
const KEY_REUSE_MS = 30_000;

/** What must work for the server to be ready. */
export function readinessOf(context: Context, publication: Publication): Readiness {
  const { store } = context;
  const readiness = new Readiness(context.log);
  readiness.add({ name: 'database', check: () => checkWritable(store, context.now()) });
  readiness.add({ name: 'migrations', check: () => checkMigrated(store) });
  const checkKey = async () => {
    await context.keys.fresh();
    await checkSigns(context.keys.current());
  };
  readiness.add({ name: 'signing-key', check: checkKey, reuseMs: KEY_REUSE_MS });
  if (publication.isElsewhere) {
    // All instances have the same documents, so it helps nobody to take this one out of service: people still sign in.
    readiness.add({ name: 'public-documents', check: () => publication.checkCurrent(), optional: true });
  }
  return readiness;
}
