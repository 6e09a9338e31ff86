import type { readSigningInstallation } from '../config/config.ts';
import type { DatabaseKeyRing } from '../signing/key-ring.ts';
import type { KnownKey } from '../signing/key-rows.ts';
import type { Administration } from './administer.ts';

/** Read these before the process may become another user, who may not read the key's file. */
type Settings = ReturnType<typeof readSigningInstallation>;

/** Works with the server's keys. */
export async function withKeyRing<Result>(
  { store, installation }: Administration,
  settings: Settings,
  work: (keys: DatabaseKeyRing) => Promise<Result>,
): Promise<Result> {
  const { KeyPlace } = await import('../signing/key-place.ts');
  const { DatabaseKeyRing, systemClocks } = await import('../signing/key-ring.ts');
  const { masterKey } = await import('../signing/master-key.ts');
  const master = await masterKey(settings.masterKey, installation.database, true);
  const place = new KeyPlace(settings.signingKey);
  try {
    return await work(await DatabaseKeyRing.open(store, master, systemClocks, place));
  } finally {
    place.close();
  }
}

/** Finds the server's keys, of any state, by their names. */
export async function keyFinder({ store, installation }: Administration, settings: Settings) {
  const { findSigningKey } = await import('../signing/key-rows.ts');
  const { masterKey } = await import('../signing/master-key.ts');
  const master = await masterKey(settings.masterKey, installation.database, true);
  return (kid: string): Promise<KnownKey | undefined> => findSigningKey(store, master, kid);
}
