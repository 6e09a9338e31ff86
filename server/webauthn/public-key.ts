import { createPublicKey } from 'node:crypto';
import { COSEALG, decodeCredentialPublicKey } from '@simplewebauthn/server/helpers';
import { isGoodEd25519Point } from './ed25519-point.ts';

/** The algorithms of security keys. */
export const ALGORITHMS = [COSEALG.ES256, COSEALG.EdDSA, COSEALG.RS256];

/** Labels, types and curves of COSE (RFC 9052, section 7; RFC 9053, section 7.1; RFC 8230, section 4). */
const [KTY, ALG, CRV, X, Y, N, E] = [1, 3, -1, -2, -3, -1, -2];
const TYPE = { okp: 1, ec2: 2, rsa: 3 } as const;
const CURVE = { p256: 1, ed25519: 6 } as const;

/**
 * Makes sure that signatures can be checked with a public key, and that only its owner can make them. With attestation `none` there is
 * no signature that would show it.
 *
 * @param bytes a COSE key (RFC 9053, section 7) with the parameters of WebAuthn, section 6.5.1.1, and no others
 * @throws Error when algorithm, type and curve do not belong together, a part has the wrong length, a point is not on its curve, or an
 *   RSA key does not have 2048 to 4096 bits
 */
export function checkPublicKey(bytes: Uint8Array): void {
  const key = decodeCredentialPublicKey(Uint8Array.from(bytes)) as unknown;
  if (!(key instanceof Map)) throw new Error('the public key is not a COSE key');
  createPublicKey({ key: jwkOf(key), format: 'jwk' });
}

function jwkOf(key: Map<unknown, unknown>) {
  switch (key.get(ALG)) {
    case COSEALG.ES256:
      expectParameters(key, { [KTY]: TYPE.ec2, [CRV]: CURVE.p256 }, [X, Y]);
      // The import checks that the point is on the curve.
      return { kty: 'EC', crv: 'P-256', x: text(key, X, 32), y: text(key, Y, 32) };
    case COSEALG.EdDSA: {
      expectParameters(key, { [KTY]: TYPE.okp, [CRV]: CURVE.ed25519 }, [X]);
      const x = text(key, X, 32);
      if (!isGoodEd25519Point(Buffer.from(x, 'base64url')))
        throw new Error('the public key is not a good point of Ed25519');
      return { kty: 'OKP', crv: 'Ed25519', x };
    }
    case COSEALG.RS256: {
      expectParameters(key, { [KTY]: TYPE.rsa }, [N, E]);
      const n = text(key, N, 256, 512);
      const e = text(key, E, 3, 4);
      checkRsa(integer(n), integer(e));
      return { kty: 'RSA', n, e };
    }
    default:
      throw new Error('the public key has an algorithm that was not asked for');
  }
}

/** Checks that the `fixed` parameters have these values, and that only the algorithm and the `others` come with them. */
function expectParameters(key: Map<unknown, unknown>, fixed: Record<number, number>, others: number[]): void {
  const entries = Object.entries(fixed);
  const agree = entries.every(([label, value]) => key.get(Number(label)) === value);
  if (!agree || key.size !== 1 + entries.length + others.length) {
    throw new Error('the public key’s type, algorithm and curve do not belong together');
  }
}

/** A parameter that is a byte string, in the form of JWKs. */
function text(key: Map<unknown, unknown>, label: number, least: number, most = least): string {
  const value = key.get(label);
  if (!(value instanceof Uint8Array) || value.length < least || value.length > most) {
    throw new Error('a part of the public key has the wrong length');
  }
  return Buffer.from(value).toString('base64url');
}

function integer(base64url: string): bigint {
  return BigInt(`0x${Buffer.from(base64url, 'base64url').toString('hex')}`);
}

/** Checks for enough bits, and for a modulus and an exponent that do not make forging easy (NIST SP 800-89, section 5.3.3). */
function checkRsa(n: bigint, e: bigint): void {
  const bits = n.toString(2).length;
  if (bits < 2048 || bits > 4096 || n % 2n === 0n || e < 65_537n || e % 2n === 0n) {
    throw new Error('the RSA key does not have 2048 to 4096 bits, or has a bad modulus or exponent');
  }
}
