import type { AwsCredentials } from '../../aws/credentials.ts';
import { type Clocks, Expiry } from './expiry.ts';
import { Secret } from './secret.ts';

/** Something that is derived from credentials and kept, such as a key. It is as secret as they are. */
export interface Derived {
  /** Forgets it, and keeps nothing from now on. */
  drop(): void;
}

/** AWS credentials as the agent keeps them: the secrets can be overwritten, and become strings only when they are read. */
export class HeldCredentials implements AwsCredentials {
  readonly accessKeyId: string;
  readonly #secretAccessKey: Secret;
  readonly #sessionToken: Secret;
  readonly #derived = new Map<unknown, Derived>();
  readonly expiry: Expiry;

  constructor({ accessKeyId, secretAccessKey, sessionToken, expiration }: AwsCredentials, clocks: Clocks) {
    this.accessKeyId = accessKeyId;
    this.#secretAccessKey = new Secret(secretAccessKey);
    this.#sessionToken = new Secret(sessionToken);
    this.expiry = new Expiry(expiration, clocks);
  }

  get secretAccessKey(): string {
    return this.#secretAccessKey.reveal();
  }

  get sessionToken(): string {
    return this.#sessionToken.reveal();
  }

  get expiration(): number {
    return this.expiry.at;
  }

  /** An object that is derived from these credentials: one of each class, made at first use, and dropped with the credentials. */
  derived<T extends Derived>(Kind: new (credentials: AwsCredentials) => T): T {
    const known = this.#derived.get(Kind) as T | undefined;
    const derived = known ?? new Kind(this);
    if (known === undefined) this.#derived.set(Kind, derived);
    return derived;
  }

  /** The credentials as plain strings. */
  reveal(): AwsCredentials {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = this;
    return { accessKeyId, secretAccessKey, sessionToken, expiration };
  }

  /** Overwrites the secrets, and drops what was derived from them. */
  wipe(): void {
    this.#secretAccessKey.wipe();
    this.#sessionToken.wipe();
    for (const derived of this.#derived.values()) derived.drop();
  }
}
