import { createHash, createHmac, createSecretKey, type Hash, type Hmac, hash, type KeyObject } from 'node:crypto';
import { clearCredentialCache, createScope, getSigningKey } from '@smithy/signature-v4';
import type { AwsCredentials } from '../credentials.ts';

export interface SigningRequest {
  /** Without a port. */
  host: string;
  region: string;
  /** The repository's path as Git sent it, decoded, with or without the leading slash. */
  path: string;
  /** The time of signing, in milliseconds since 1970; CodeCommit takes the password for 15 minutes from then. */
  at: number;
}

type Identity = Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey'> & { sessionToken?: string };

const service = 'codecommit';

/**
 * Signs for CodeCommit with one AWS credential, and keeps the key that Signature Version 4 derives from it for a day and a
 * region, since that is most of a signature's work.
 *
 * The kept key is a secret: who drops the credential drops the signer's key with it. It lies outside of JavaScript's heap,
 * and Node overwrites it when it is collected. (In a buffer it could be overwritten at once, but then every HMAC makes such an
 * object of it, and takes five times as long.)
 */
export class CodeCommitSigner {
  readonly #identity: Identity;
  #kept: { scope: string; key: KeyObject } | undefined;
  #dropped = false;

  /** @param identity is read when it is needed alone: what is secret of it may be a string only then */
  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /**
   * The user name and password that CodeCommit takes over HTTPS: a Signature Version 4 of the repository's path. AWS's own
   * helper (`aws codecommit credential-helper`) makes the same bytes of the same credentials in the same second.
   */
  async sign({ host, region, path, at }: SigningRequest): Promise<{ username: string; password: string }> {
    const { accessKeyId, sessionToken } = this.#identity;
    // YYYYMMDDTHHMMSS: CodeCommit leaves the final Z away in the string to sign, and puts it into the password.
    const date = new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
    const day = date.slice(0, 8);
    // Method GIT, no query, the one header `host`, and an empty last line where other services put the payload's hash.
    const canonicalRequest = `GIT\n${canonicalPath(path)}\n\nhost:${host}\n\nhost\n`;
    const scope = createScope(day, region, service);
    const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash('sha256', canonicalRequest)}`;
    const key = this.#kept?.scope === scope ? this.#kept.key : await this.#derive(day, region);
    const signature = createHmac('sha256', key).update(toSign).digest('hex');
    return {
      username: sessionToken ? `${accessKeyId}%${sessionToken}` : accessKeyId,
      password: `${date}Z${signature}`,
    };
  }

  /** Forgets the kept key, and keeps none any more. */
  drop(): void {
    this.#kept = undefined;
    this.#dropped = true;
  }

  async #derive(day: string, region: string): Promise<KeyObject> {
    const { accessKeyId, secretAccessKey } = this.#identity;
    const key = createSecretKey(await getSigningKey(Sha256, { accessKeyId, secretAccessKey }, day, region, service));
    // The library would keep it too.
    clearCredentialCache();
    if (!this.#dropped) this.#kept = { scope: createScope(day, region, service), key };
    return key;
  }
}

/**
 * A path as SigV4 wants it: every byte but RFC 3986's unreserved ones percent-encoded, slashes kept, one at the start.
 *
 * Git decodes the URL's path before it asks a helper, so that this makes of it what goes over the wire. AWS's helper signs it
 * decoded, and what has special characters in it is refused (https://github.com/aws/aws-cli/issues/9327, closed without a word,
 * and the helper is as it was): the service takes the path encoded. Once, and not twice as SigV4 has it for most services: that is
 * what the issue asks for, nothing says that CodeCommit encodes what it was sent once more, and a canonical request of which
 * half is as nowhere else (no Z, no payload) says nothing about the rest. No name that CodeCommit allows (`[\w.-]`) comes
 * to look different by it.
 */
export function canonicalPath(path: string): string {
  const encoded = encodeURIComponent(path.replace(/^\/+/, '').toWellFormed())
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return `/${encoded}`;
}

/** Node's SHA-256 and HMAC in the shape that the library asks for. */
class Sha256 {
  readonly #secret: Uint8Array | string | undefined;
  #hash!: Hash | Hmac;

  constructor(secret?: Uint8Array | string | ArrayBuffer | ArrayBufferView) {
    this.#secret =
      secret === undefined || typeof secret === 'string'
        ? secret
        : ArrayBuffer.isView(secret)
          ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
          : new Uint8Array(secret);
    this.reset();
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}
