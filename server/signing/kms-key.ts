import { createHash, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import { KmsFailure } from '../kms/failure.ts';
import { KMS_PREFIX, type KmsArn, readKmsPlace } from '../kms/key-arn.ts';
import type { Kms } from '../kms/kms.ts';
import { Problem } from '../problem/problem.ts';
import { jwsSignature } from './ecdsa-signature.ts';
import { kmsRefused } from './kms-problems.ts';
import type { SigningKey } from './signing-key.ts';

/** A key in AWS KMS. No process of ours ever has its private half. */
class KmsKey implements SigningKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly #arn: KmsArn;
  readonly #kms: Kms;
  #publicKey: Promise<CryptoKey> | undefined;

  constructor(jwk: JWK & { kid: string }, arn: KmsArn, kms: Kms) {
    this.kid = jwk.kid;
    this.publicJwk = jwk;
    this.#arn = arn;
    this.#kms = kms;
  }

  async sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    try {
      const der = await this.#kms.sign(this.#arn, createHash('sha256').update(bytes).digest());
      return await this.#checked(bytes, der);
    } catch (error) {
      throw error instanceof KmsFailure ? cannotSign(error) : error;
    }
  }

  /** A wrong signature never leaves, whoever mixed keys up: checking takes a tenth of a millisecond, and KMS some milliseconds. */
  async #checked(bytes: Uint8Array<ArrayBuffer>, der: Buffer): Promise<Uint8Array> {
    this.#publicKey ??= importJWK(this.publicJwk, 'ES256') as Promise<CryptoKey>;
    const publicKey = await this.#publicKey;
    const signature = await jwsSignature(der).catch(() => undefined);
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
    if (signature !== undefined && (await crypto.subtle.verify(algorithm, publicKey, signature, bytes)))
      return signature;
    throw new KmsFailure('broken', 'Sign', this.#arn.arn, 'the signature is not of the key that we publish');
  }
}

/**
 * Asks KMS for a key's public half.
 *
 * @returns the JWK for the key set, and the `source` of its row: `awskms:` and the ARN of the key itself, not of an alias. An alias may
 * get another key later, whose signatures nobody could verify yet.
 * @throws Problem `kms-refused` when the key is not one that can sign for us, or `kms-unreachable`
 */
export async function readKmsKey(kms: Kms, asked: KmsArn): Promise<{ jwk: JWK & { kid: string }; source: string }> {
  const found = await kms.publicKey(asked).catch((error: unknown) => {
    throw error instanceof KmsFailure
      ? kmsRefused(error, 'VOUCH_SIGNING_KEY', ['kms:GetPublicKey', 'kms:Sign'])
      : error;
  });
  const { arn, spec, usage, algorithms, spki } = found;
  const wanted = { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY', algorithm: 'ECDSA_SHA_256' };
  if (spec !== wanted.spec || usage !== wanted.usage || !algorithms.includes(wanted.algorithm)) {
    throw new Problem({
      kind: 'kms-refused',
      what: `The KMS key ${asked.arn} (VOUCH_SIGNING_KEY) cannot sign tokens.`,
      why: `Its spec is ${spec} and its usage ${usage}; tokens need ${wanted.spec} and ${wanted.usage}.`,
      fix: 'Create a key with `aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY`, and name it.',
    });
  }
  const publicJwk = readPublicKey(spki);
  if (publicJwk === undefined) {
    throw new Problem({
      kind: 'kms-refused',
      what: `What AWS KMS says is the public half of ${asked.arn} (VOUCH_SIGNING_KEY) is no key of that spec.`,
      fix: 'Check AWS_ENDPOINT_URL_KMS, if it is set.',
    });
  }
  return {
    jwk: { ...publicJwk, kid: await calculateJwkThumbprint(publicJwk), alg: 'ES256', use: 'sig' },
    source: KMS_PREFIX + arn,
  };
}

/** Undefined unless it is a key on P-256. */
function readPublicKey(spki: Buffer): JWK | undefined {
  try {
    const { kty, crv, x, y } = createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ format: 'jwk' });
    return crv === 'P-256' ? ({ kty, crv, x, y } as JWK) : undefined;
  } catch {
    return undefined;
  }
}

/** The key whose public half is stored with this source; undefined if that is not in KMS. It asks KMS nothing yet. */
export function openKmsKey(jwk: JWK & { kid: string }, source: string, kms: Kms): SigningKey | undefined {
  const arn = readKmsPlace(source);
  return arn && new KmsKey(jwk, arn, kms);
}

function cannotSign(failure: KmsFailure): Problem {
  return new Problem({
    kind: 'unavailable',
    what: 'The server cannot sign anything now',
    fix: 'Try again in a moment. If it happens again, tell your administrator.',
    // For commands and the log; no answer to a request has it.
    why: `${failure.message}.`,
    reason: failure.message,
    headers: { 'Retry-After': failure.passing ? '2' : '30' },
    cause: failure,
  });
}
