import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

/** A temporary AWS credential, as STS gives it. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** When it ends, in milliseconds since 1970. */
  expiration: number;
}

export interface SigningRequest {
  /** Without a port. */
  host: string;
  region: string;
  /** The repository's path as Git sent it, decoded, with or without the leading slash. */
  path: string;
  /** The time of signing, in milliseconds since 1970; CodeCommit takes the password for 15 minutes from then. */
  at: number;
}

/**
 * The user name and password that CodeCommit takes over HTTPS: a Signature Version 4 of the repository's path. AWS's own
 * helper (`aws codecommit credential-helper`) makes the same bytes of the same credentials in the same second.
 */
export async function signForCodeCommit(
  credentials: Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey'> & { sessionToken?: string },
  request: SigningRequest,
): Promise<{ username: string; password: string }> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  // YYYYMMDDTHHMMSS: CodeCommit leaves the final Z away in the string to sign, and puts it into the password.
  const date = new Date(request.at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  // Method GIT, no query, the one header `host`, and an empty last line where other services put the payload's hash.
  const canonicalRequest = `GIT\n${canonicalPath(request.path)}\n\nhost:${request.host}\n\nhost\n`;
  const scope = `${date.slice(0, 8)}/${request.region}/codecommit/aws4_request`;
  const hash = createHash('sha256').update(canonicalRequest).digest('hex');
  const signer = new SignatureV4({
    service: 'codecommit',
    region: request.region,
    credentials: sessionToken ? { accessKeyId, secretAccessKey, sessionToken } : { accessKeyId, secretAccessKey },
    sha256: Sha256,
  });
  const signature = await signer.sign(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash}`, {
    signingDate: new Date(request.at),
  });
  return {
    username: sessionToken ? `${accessKeyId}%${sessionToken}` : accessKeyId,
    password: `${date}Z${signature}`,
  };
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

/** Node's SHA-256 and HMAC in the shape that the signer asks for. */
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
