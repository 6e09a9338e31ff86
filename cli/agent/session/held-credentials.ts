import type { AwsCredentials } from '../../aws/credentials.ts';
import { type Clocks, Expiry } from './expiry.ts';
import { Secret } from './secret.ts';

/** What is made of credentials and kept, such as a key: it is as secret as they are. */
export interface Derived {
  /** Forgets it, and keeps none any more. */
  drop(): void;
}

/** AWS credentials as the agent keeps them: what is secret of them can be overwritten, and a string only when it is read. */
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

  /** What a service's consumer derives from these credentials: one of each class, made when first asked for, dropped with them. */
  derived<T extends Derived>(Kind: new (credentials: AwsCredentials) => T): T {
    const known = this.#derived.get(Kind) as T | undefined;
    const derived = known ?? new Kind(this);
    if (known === undefined) this.#derived.set(Kind, derived);
    return derived;
  }

  /** All of it in the open, for who asked for that. */
  reveal(): AwsCredentials {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = this;
    return { accessKeyId, secretAccessKey, sessionToken, expiration };
  }

  /** Overwrites what is secret, and forgets what was derived from it. */
  wipe(): void {
    this.#secretAccessKey.wipe();
    this.#sessionToken.wipe();
    for (const derived of this.#derived.values()) derived.drop();
  }
}
