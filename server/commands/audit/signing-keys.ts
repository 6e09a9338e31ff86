import type { readSigningInstallation } from '../../config/config.ts';
import type { KnownKey } from '../../signing/key-rows.ts';
import type { SigningKey } from '../../signing/signing-key.ts';
import type { Administration } from '../administer.ts';

/** Read these before the process may become another user, who may not read the key's file. */
type Settings = ReturnType<typeof readSigningInstallation>;

/** The server's keys, of any state, by their names. */
export async function signingKeys({ store, installation }: Administration, settings: Settings) {
  const { DatabaseKeyRing } = await import('../../signing/key-ring.ts');
  const { findSigningKey } = await import('../../signing/key-rows.ts');
  const { masterKey } = await import('../../signing/master-key.ts');
  const master = await masterKey(settings.masterKey, installation.database, true);
  return {
    current: async (): Promise<SigningKey> => {
      const clocks = { now: Date.now, elapsed: () => performance.now() };
      return (await DatabaseKeyRing.open(store, master, clocks)).current();
    },
    find: (kid: string): Promise<KnownKey | undefined> => findSigningKey(store, master, kid),
  };
}
