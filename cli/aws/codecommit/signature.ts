import { createHash, createHmac, createSecretKey, type Hash, type Hmac, hash, type KeyObject } from 'node:crypto';
import { clearCredentialCache, createScope, getSigningKey } from '@smithy/signature-v4';
import type { AwsCredentials } from '../credentials.ts';

export interface SigningRequest {
  /** Without a port. */
  host: string;
  region: string;
  /** The repository's path as Git sent it: decoded, with or without the leading slash. */
  path: string;
  /** The time of signing, in milliseconds since 1970. password-life.ts says when the password ends. */
  at: number;
}

type Identity = Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey'> & { sessionToken?: string };

const service = 'codecommit';

/**
 * Signs for CodeCommit with one AWS credential. It keeps the key that Signature Version 4 derives for a day and a region, because
 * deriving it is most of the work.
 *
 * The kept key is a secret, and has to be dropped with the credential. The key is outside of JavaScript's heap, and Node
 * overwrites it when it is garbage-collected. (A Buffer could be wiped at once, but each HMAC would first convert it to a
 * KeyObject, at five times the cost.)
 */
export class CodeCommitSigner {
  readonly #identity: Identity;
  #kept: { scope: string; key: KeyObject } | undefined;
  #dropped = false;

  /** @param identity read at each use, so that the secrets need not stay in memory as strings */
  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /**
   * The user name and password that CodeCommit accepts over HTTPS: a Signature Version 4 of the repository's path. AWS's own
   * helper (`aws codecommit credential-helper`) produces the same bytes for the same credentials and second.
   */
  async sign({ host, region, path, at }: SigningRequest): Promise<{ username: string; password: string }> {
    const { accessKeyId, sessionToken } = this.#identity;
    // YYYYMMDDTHHMMSS: CodeCommit omits the final Z in the string to sign, but has it in the password.
    const date = new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
    const day = date.slice(0, 8);
    // The method GIT, no query, the header `host` alone, and an empty last line where other services have the payload's hash.
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

  /** Forgets the kept key, and keeps none from now on. */
  drop(): void {
    this.#kept = undefined;
    this.#dropped = true;
  }

  async #derive(day: string, region: string): Promise<KeyObject> {
    const { accessKeyId, secretAccessKey } = this.#identity;
    const key = createSecretKey(await getSigningKey(Sha256, { accessKeyId, secretAccessKey }, day, region, service));
    // The library keeps it as well.
    clearCredentialCache();
    if (!this.#dropped) this.#kept = { scope: createScope(day, region, service), key };
    return key;
  }
}

/**
 * A path in SigV4's form: all bytes but RFC 3986's unreserved ones percent-encoded, slashes kept, and one at the start.
 *
 * Git decodes the URL's path before it asks a helper, so this restores what goes over the wire. AWS's helper signs the decoded
 * path, and then a path with special characters is refused, because the service expects it encoded
 * (https://github.com/aws/aws-cli/issues/9327, closed without a comment; the helper has not changed). We encode once, not twice
 * as SigV4 does for most services. No document states that CodeCommit encodes twice. Its canonical request differs from theirs in
 * half of the parts (no Z, no payload), so their rule proves nothing here. Names that CodeCommit allows (`[\w.-]`) look the same
 * in any case.
 */
export function canonicalPath(path: string): string {
  const encoded = encodeURIComponent(path.replace(/^\/+/, '').toWellFormed())
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return `/${encoded}`;
}

/** Node's SHA-256 and HMAC, with the interface that the library expects. */
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
