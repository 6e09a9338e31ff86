import { decodeAttestationObject, isoCBOR } from '@simplewebauthn/server/helpers';
import type { Attestation } from '../key-policy/attestation.ts';
import { FaultyRegistration } from './registration-fault.ts';

/** In bytes. A security key's has less than 5 KiB. */
const MAX_SIZE = 32 * 1024;

/** The most certificates of an attestation, and the most bytes that they have together. */
const [MAX_CERTIFICATES, MAX_CERTIFICATES_SIZE] = [8, 16 * 1024];

export interface AttestationObject {
  /** The authenticator data (section 6.1), not verified yet. */
  authData: Uint8Array;
  /** Null when it shows no certificate. */
  attestation: Attestation | null;
  /** The algorithm of an attestation that the credential itself signed (WebAuthn, section 6.5.5, "Self Attestation"). */
  selfAlgorithm?: unknown;
}

/**
 * Reads what a key says of its make (WebAuthn, section 6.5.4) before the verifier does. It accepts only the formats of security keys, in
 * exactly the form of sections 8.2, 8.6 and 8.7: to the verifier, a list of certificates that is null, false, 0 or empty text means that
 * there is none.
 *
 * @param text base64url, as the browser sent it
 * @throws FaultyRegistration
 */
export function readAttestationObject(text: unknown): AttestationObject {
  const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64url');
  if (bytes.length > MAX_SIZE) throw faultyObject();
  const object = decode(bytes);
  const [fmt, statement, authData] = [object.get('fmt'), object.get('attStmt'), object.get('authData')];
  if (object.size !== 3 || !(statement instanceof Map) || !(authData instanceof Uint8Array)) {
    throw faultyObject();
  }
  switch (fmt) {
    case 'none':
      expectMembers(statement, []);
      return { authData, attestation: null };
    case 'packed':
      if (!statement.has('x5c')) {
        expectMembers(statement, ['alg', 'sig']);
        return { authData, attestation: null, selfAlgorithm: statement.get('alg') };
      }
      expectMembers(statement, ['alg', 'sig', 'x5c']);
      return { authData, attestation: { fmt, x5c: readCertificates(statement.get('x5c'), MAX_CERTIFICATES) } };
    case 'fido-u2f':
      expectMembers(statement, ['sig', 'x5c']);
      return { authData, attestation: { fmt, x5c: readCertificates(statement.get('x5c'), 1) } };
    default:
      throw new FaultyRegistration('attestation-format', `the attestation has the format ${String(fmt)}`);
  }
}

/** A map, and no bytes after it. SimpleWebAuthn promises that what it has decoded has the same length when it is encoded again. */
function decode(bytes: Buffer): Map<unknown, unknown> {
  try {
    const object: unknown = decodeAttestationObject(Uint8Array.from(bytes));
    if (object instanceof Map && isoCBOR.encode(object as never).length === bytes.length) return object;
  } catch {
    // Not CBOR.
  }
  throw faultyObject();
}

function expectMembers(statement: Map<unknown, unknown>, names: string[]): void {
  const { size } = statement;
  if (size !== names.length || !names.every((name) => statement.has(name))) {
    throw new FaultyRegistration(
      'statement',
      `the attestation statement has ${size} members, but not ${names.join(', ')}`,
    );
  }
  if (names.includes('alg') && typeof statement.get('alg') !== 'number') {
    throw new FaultyRegistration('statement-algorithm', 'the attestation’s algorithm is not a number');
  }
  if (names.includes('sig') && !(statement.get('sig') instanceof Uint8Array)) {
    throw new FaultyRegistration('statement', 'the attestation’s signature is not a byte string');
  }
}

function readCertificates(x5c: unknown, most: number): string[] {
  const list: unknown[] = Array.isArray(x5c) ? x5c : [];
  const certificates = list
    .filter((der) => der instanceof Uint8Array && der.length > 0)
    .map((der) => der as Uint8Array);
  const size = certificates.reduce((sum, { length }) => sum + length, 0);
  const encoded = certificates.map((der) => Buffer.from(der).toString('base64'));
  const fits = list.length >= 1 && list.length <= most && size <= MAX_CERTIFICATES_SIZE;
  if (fits && certificates.length === list.length && new Set(encoded).size === list.length) return encoded;
  throw new FaultyRegistration('certificate-list', `the attestation should show 1 to ${most} different certificates`);
}

const faultyObject = () => new FaultyRegistration('attestation-object', 'the attestation object cannot be read');
