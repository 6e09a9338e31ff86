import { createPublicKey, type KeyObject } from 'node:crypto';
import { ExternalSigningKey } from 'oidc-provider';
import type { SigningKey } from '../signing/signing-key.ts';

/** The issuer's key for oidc-provider, which sees only the public half and asks for each signature. */
export class ProviderKey extends ExternalSigningKey {
  readonly #key: SigningKey;

  constructor(key: SigningKey) {
    super();
    this.#key = key;
  }

  override get kid(): string {
    return this.#key.kid;
  }

  override get alg(): string | undefined {
    return this.#key.publicJwk.alg;
  }

  override keyObject(): KeyObject {
    return createPublicKey({ key: this.#key.publicJwk, format: 'jwk' });
  }

  override sign(data: Uint8Array): Promise<Uint8Array> {
    return this.#key.sign(data);
  }
}
