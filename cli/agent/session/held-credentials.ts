import { CodeCommitSigner, type SigningRequest } from '../../aws/codecommit/signature.ts';
import type { AwsCredentials } from '../../aws/credentials.ts';
import { type Clocks, Expiry } from './expiry.ts';
import { Secret } from './secret.ts';

/** AWS credentials as the agent keeps them: what is secret of them can be overwritten, and a string only when it is read. */
export class HeldCredentials implements AwsCredentials {
  readonly accessKeyId: string;
  readonly #secretAccessKey: Secret;
  readonly #sessionToken: Secret;
  readonly #signer = new CodeCommitSigner(this);
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

  /** See CodeCommitSigner.sign. */
  sign(request: SigningRequest): Promise<{ username: string; password: string }> {
    return this.#signer.sign(request);
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
    this.#signer.drop();
  }
}
