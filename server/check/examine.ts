import type { Store } from '../store/store.ts';
import { checkClock } from './clock.ts';
import { checkDatabase } from './database.ts';
import { checkIssuers } from './issuer.ts';
import { checkProxy } from './proxy.ts';
import { checkPublicDocuments } from './public-documents.ts';
import { notTried, type Result, resultOf } from './result.ts';
import { checkSettings, findUnreadable } from './settings.ts';
import { checkSigningKeys } from './signing-keys.ts';

/**
 * Looks at everything that the server needs, whether it runs or not, and changes nothing. A process of root becomes the database's owner
 * on the way.
 *
 * @param env the process's environment
 * @param now milliseconds since the epoch
 */
export async function examine(env: Record<string, string | undefined>, now: number): Promise<Result[]> {
  const { result: settings, config, installation } = checkSettings(env);
  if (installation === undefined) {
    const others = ['database', 'issuer', 'signing-keys', 'clock', 'public-documents', 'proxy'] as const;
    return [settings, ...others.map((check) => notTried(check, 'settings'))];
  }
  const user = process.geteuid?.();
  const { result: database, store } = await checkDatabase(installation.database);
  const unreadable = process.geteuid?.() === user ? [] : findUnreadable(env);
  const read = resultOf('settings', { ...settings, findings: [...settings.findings, ...unreadable] });
  try {
    const issuer = store === undefined ? notTried('issuer', 'database') : await checkIssuers(store, installation);
    const { result: keys, keys: published } = await signingKeys(store, config);
    const { result: documents, look } = await checkPublicDocuments(installation, published, store, now);
    const clock = await checkClock(installation.database, store, look);
    const proxy = config === undefined ? notTried('proxy', 'settings') : await checkProxy(config);
    return [read, database, issuer, keys, clock, documents, proxy];
  } finally {
    await store?.destroy();
  }
}

async function signingKeys(store: Store | undefined, config: ReturnType<typeof checkSettings>['config']) {
  if (config === undefined) return { result: notTried('signing-keys', 'settings'), keys: undefined };
  if (store === undefined) return { result: notTried('signing-keys', 'database'), keys: undefined };
  return checkSigningKeys(store, config);
}
