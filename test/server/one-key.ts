import type { KeyRing } from '../../server/signing/key-ring.ts';
import type { SigningKey } from '../../server/signing/signing-key.ts';

/** A ring with one key that never changes. */
export function oneKey(key: SigningKey): KeyRing {
  const published = [key.publicJwk];
  return { current: () => key, published: () => published, refresh: async () => false, fresh: async () => {} };
}
