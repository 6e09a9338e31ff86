import type { readSigningInstallation } from '../../config/config.ts';
import type { SigningKey } from '../../signing/signing-key.ts';
import type { Administration } from '../administer.ts';

/** Read these before the process may become another user, who may not read the key's file. */
type Settings = ReturnType<typeof readSigningInstallation>;

/** The server's keys, of any state, by their names. */
export async function signingKeys({ store, installation }: Administration, settings: Settings) {
  const { currentSigningKey, findSigningKey } = await import('../../signing/stored-key.ts');
  const { masterKey } = await import('../../signing/master-key.ts');
  const master = masterKey(settings.masterKey, installation.database, true);
  return {
    current: (now: number): Promise<SigningKey> => currentSigningKey(store, master, now),
    find: (kid: string): Promise<SigningKey | undefined> => findSigningKey(store, master, kid),
  };
}
