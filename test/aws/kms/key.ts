import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { AwsError } from '../aws-error.ts';

/** https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html */
const specs = {
  ECC_NIST_P256: { usage: 'SIGN_VERIFY', curve: 'prime256v1', signing: ['ECDSA_SHA_256'] },
  ECC_NIST_P384: { usage: 'SIGN_VERIFY', curve: 'secp384r1', signing: ['ECDSA_SHA_384'] },
  ECC_SECG_P256K1: { usage: 'SIGN_VERIFY', curve: 'secp256k1', signing: ['ECDSA_SHA_256'] },
  RSA_2048: {
    usage: 'SIGN_VERIFY',
    curve: undefined,
    signing: ['PSS', 'PKCS1_V1_5'].flatMap((kind) => [256, 384, 512].map((bits) => `RSASSA_${kind}_SHA_${bits}`)),
  },
  SYMMETRIC_DEFAULT: { usage: 'ENCRYPT_DECRYPT', curve: undefined, signing: [] },
} as const;

export type KeySpec = keyof typeof specs;

/** How many points the curve has (SEC 2, sections 2.4.2 and 2.4.1). */
const orders: Record<string, bigint> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
};

/** A KMS key. A test may change its state and usage at any time. */
export class KmsKey {
  readonly arn: string;
  readonly region: string;
  readonly id: string;
  readonly spec: KeySpec;
  usage: 'SIGN_VERIFY' | 'ENCRYPT_DECRYPT' | 'KEY_AGREEMENT';
  state: 'Enabled' | 'Disabled' | 'PendingDeletion' = 'Enabled';
  readonly #pair: { publicKey: KeyObject; privateKey: KeyObject } | undefined;
  readonly #secret = randomBytes(32);

  constructor(
    place: { partition: string; region: string; account: string; id: string; spec: KeySpec },
    replicaOf?: KmsKey,
  ) {
    const { partition, region, account, id, spec } = place;
    this.arn = `arn:${partition}:kms:${region}:${account}:key/${id}`;
    this.region = region;
    this.id = id;
    this.spec = spec;
    this.usage = specs[spec].usage;
    this.#pair = replicaOf === undefined ? newPair(spec) : replicaOf.#pair;
  }

  get signingAlgorithms(): readonly string[] {
    return this.usage === 'SIGN_VERIFY' ? specs[this.spec].signing : [];
  }

  /** A DER-encoded X.509 SubjectPublicKeyInfo (RFC 5280). */
  publicKey(): Buffer {
    if (this.#pair === undefined) throw new AwsError('UnsupportedOperationException', '');
    return this.#pair.publicKey.export({ type: 'spki', format: 'der' });
  }

  /** The private half, which no answer contains: for tests that look for it elsewhere. */
  privateScalar(): string {
    return this.#pair?.privateKey.export({ format: 'jwk' }).d ?? '';
  }

  /** ECDSA of a digest (FIPS 186-5, section 6.4.1), as DER (RFC 3279, section 2.2.3). Node signs only messages, which it hashes itself. */
  signDigest(digest: Buffer): Buffer {
    const { curve = '' } = specs[this.spec];
    const order = orders[curve];
    const d = BigInt(`0x${Buffer.from(this.privateScalar(), 'base64url').toString('hex')}`);
    if (order === undefined)
      throw new AwsError('KMSInternalException', 'The local KMS signs with 256-bit curves only', 500);
    const nonce = createECDH(curve);
    const r = number(nonce.generateKeys().subarray(1, 33)) % order;
    const k = number(nonce.getPrivateKey());
    const s = (inverse(k, order) * (number(digest) + r * d)) % order;
    return sequence([r, s].map(integer));
  }

  /** AES-256-GCM with the encryption context as additional data. */
  encrypt(plaintext: Buffer, context: Record<string, string>): Buffer {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#secret, iv).setAAD(canonical(context));
    const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    const id = Buffer.from(this.id);
    return Buffer.concat([Buffer.of(1, id.length), id, iv, cipher.getAuthTag(), encrypted]);
  }

  /** @throws AwsError when another key or context made it, or when it was changed */
  decrypt(blob: Buffer, context: Record<string, string>): Buffer {
    const start = 2 + this.id.length;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#secret, blob.subarray(start, start + 12))
        .setAuthTag(blob.subarray(start + 12, start + 28))
        .setAAD(canonical(context));
      return Buffer.concat([decipher.update(blob.subarray(start + 28)), decipher.final()]);
    } catch {
      throw invalidCiphertext();
    }
  }
}

export const invalidCiphertext = () => new AwsError('InvalidCiphertextException', '');

/** The ID of the key that made this; undefined when it is no ciphertext. */
export function keyIdOf(blob: Buffer): string | undefined {
  const [version, length = 0] = blob;
  return version === 1 && blob.length >= 2 + length + 28 ? blob.toString('utf8', 2, 2 + length) : undefined;
}

function newPair(spec: KeySpec) {
  const { curve } = specs[spec];
  if (curve !== undefined) return generateKeyPairSync('ec', { namedCurve: curve });
  return spec === 'RSA_2048' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : undefined;
}

const canonical = (context: Record<string, string>) =>
  Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));

const number = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);

/** By Fermat's little theorem: the order is prime. */
function inverse(value: bigint, prime: bigint): bigint {
  let result = 1n;
  for (let [base, exponent] = [value % prime, prime - 2n]; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % prime;
    base = (base * base) % prime;
  }
  return result;
}

/** X.690, sections 8.3 and 8.9. */
function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const positive = (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return Buffer.concat([Buffer.of(2, positive.length), positive]);
}

function sequence(parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0x30, content.length), content]);
}
