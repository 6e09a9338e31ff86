import { hash, KeyObject, verify } from 'node:crypto';
import { derOf } from '../signing/signature-form.ts';

/** The longest data, in bytes, that are processed at once: they take about 100 microseconds. */
const MOST = 64 * 1024;

/** The length of a signature with ES256, in bytes (RFC 7518, section 3.4). */
const ES256_LENGTH = 64;

type Data = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/**
 * Lets WebCrypto compute what a request needs on the thread of the caller: SHA-256, and the check of a signature with ECDSA on P-256
 * (ES256). Node hands each of these to another thread, which takes a quarter as long again as the check, and ten times as long as the
 * hash. Our libraries (jose, oauth4webapi, SimpleWebAuthn) know no other way to these.
 *
 * The same OpenSSL computes the same. Anything else goes the usual way: other algorithms, long data, keys that may not be used so.
 */
export function computeOnThisThread(): void {
  const subtle = Object.getPrototypeOf(crypto.subtle) as SubtleCrypto;
  const { digest, importKey, verify: verifyElsewhere } = subtle;
  const methods: Pick<SubtleCrypto, 'digest' | 'importKey' | 'verify'> = {
    async digest(this: SubtleCrypto, algorithm, data) {
      if (nameOf(algorithm) !== 'SHA-256' || !isShort(data)) return digest.call(this, algorithm, data);
      return ownBuffer(hash('sha256', bytesOf(data), 'buffer'));
    },
    async importKey(this: SubtleCrypto, ...args: unknown[]) {
      const [format, jwk, algorithm, extractable, usages] = args;
      // Only what can be exported can become a key of node:crypto, and a public key is no secret.
      const isPublic = format === 'jwk' && Object(jwk).kty === 'EC' && !('d' in Object(jwk));
      const rest = isPublic
        ? [format, { ...Object(jwk), ext: true }, algorithm, true, usages]
        : [format, jwk, algorithm, extractable, usages];
      return importKey.apply(this, rest as Parameters<SubtleCrypto['importKey']>);
    },
    async verify(this: SubtleCrypto, algorithm, key, signature, data) {
      if (!isES256(algorithm, key) || !isShort(data) || !isShort(signature) || signature.byteLength !== ES256_LENGTH) {
        return verifyElsewhere.call(this, algorithm, key, signature, data);
      }
      return verify('sha256', bytesOf(data), keyObject(key), derOf(bytesOf(signature)));
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(subtle, name, { value, writable: true, enumerable: true, configurable: true });
  }
}

const nameOf = (algorithm: unknown) =>
  typeof algorithm === 'string' ? algorithm : (algorithm as { name?: unknown } | null)?.name;

function isES256(algorithm: unknown, key: unknown): key is CryptoKey {
  const { name, hash: digest } = Object(algorithm) as { name?: unknown; hash?: unknown };
  if (name !== 'ECDSA' || nameOf(digest) !== 'SHA-256' || !(key instanceof CryptoKey)) return false;
  const { name: kind, namedCurve } = key.algorithm as EcKeyAlgorithm;
  return kind === 'ECDSA' && namedCurve === 'P-256' && key.extractable && key.usages.includes('verify');
}

/** Anything that is not data at all has no length, and goes the usual way to its error. */
function isShort(data: unknown): data is Data {
  return (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) && data.byteLength <= MOST;
}

function bytesOf(data: Data): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Node's buffers may be parts of larger ones. */
function ownBuffer(buffer: Buffer): ArrayBuffer {
  return Uint8Array.from(buffer).buffer;
}

const keyObjects = new WeakMap<CryptoKey, KeyObject>();

function keyObject(key: CryptoKey): KeyObject {
  const known = keyObjects.get(key) ?? KeyObject.from(key);
  keyObjects.set(key, known);
  return known;
}
