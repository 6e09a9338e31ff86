import type { Config } from '../config/config.ts';
import type { PublishedKey } from '../public-documents/documents.ts';
import { readPublishedKeys } from '../public-documents/published-keys.ts';
import { statesText } from '../public-documents/states-text.ts';
import { checkSigns } from '../signing/check-key.ts';
import { KeyPlace } from '../signing/key-place.ts';
import { DatabaseKeyRing, systemClocks } from '../signing/key-ring.ts';
import { hasSigningKey } from '../signing/key-rows.ts';
import { masterKey } from '../signing/master-key.ts';
import type { Store } from '../store/store.ts';
import { asFinding, type Finding, type Result, resultOf } from './result.ts';

/**
 * Opens all published keys with the master key, and lets the current one sign, and the one in KMS that the settings name.
 *
 * @returns the keys; undefined if they cannot be read
 */
export async function checkSigningKeys(
  store: Store,
  config: Config,
): Promise<{ result: Result; keys: readonly PublishedKey[] | undefined }> {
  const failed = (finding: Finding) => ({
    result: resultOf('signing-keys', { says: 'tokens cannot be signed', findings: [finding] }),
    keys: undefined,
  });
  // Without a key, reading them would make one.
  if (!(await hasSigningKey(store))) {
    return failed({
      id: 'signing-keys.none',
      severity: 'failed',
      what: 'There is no signing key yet.',
      fix: 'Start the server, which makes one.',
    });
  }
  const place = new KeyPlace(config.signingKey);
  try {
    const master = await masterKey(config.masterKey, config.database, true);
    const keys = await readPublishedKeys(store, master);
    const ring = await DatabaseKeyRing.open(store, master, systemClocks, place);
    await checkSigns(ring.current());
    await place.check();
    const others = statesText(keys, ['next', 'previous']);
    const says = `${ring.current().kid} signs${others === '' ? '' : `; ${others}`}`;
    return {
      result: resultOf('signing-keys', { says, data: { keys: keys.map(({ kid, state }) => ({ kid, state })) } }),
      keys,
    };
  } catch (error) {
    return failed(asFinding('signing-keys.unusable', error));
  } finally {
    place.close();
  }
}
