import { X509Certificate as NodeCertificate } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as X509 from '@peculiar/x509';

const require = createRequire(import.meta.url);

/**
 * Loaded when the first certificate is read: it takes longer to load than most commands to run. Settings are read at one go and may name
 * certificates, so there can be no `await import`.
 */
function loadX509(): typeof X509 {
  require('reflect-metadata');
  return require('@peculiar/x509') as typeof X509;
}

/** The parts of an X.509 certificate that decide whether a chain holds (RFC 5280, sections 4.1 and 4.2). */
export interface Certificate {
  der: Buffer;
  /** Checks names and signatures. */
  node: NodeCertificate;
  /** Its validity, in milliseconds since the epoch. */
  from: number;
  until: number;
  /** Whether it says that it is an authority; undefined if it says nothing. */
  authority: boolean | undefined;
  /** How many authorities may stand between it and the last certificate of a chain. */
  pathLength: number;
  selfIssued: boolean;
  /** Whether it has a critical extension that nobody here understands, or one twice. */
  strange: boolean;
  /** The model that it attests, if it names one (id-fido-gen-ce-aaguid; WebAuthn, section 8.2.1). */
  aaguid: string | undefined;
  /** The firmware version that it attests, if it names one (id-fido-gen-ce-fw-version; WebAuthn, section 8.2.1). */
  firmware: number | undefined;
}

const AAGUID = '1.3.6.1.4.1.45724.1.1.4';
const FIRMWARE = '1.3.6.1.4.1.45724.1.1.5';

/**
 * Critical extensions that may be there: basic constraints and key usage are checked; what an extended key usage and a certificate
 * policy say does not matter for an attestation. Name constraints, among others, are not understood.
 */
const UNDERSTOOD = ['2.5.29.19', '2.5.29.15', '2.5.29.37', '2.5.29.32'];

/** @throws Error when the bytes are not a certificate, or when an extension that matters cannot be read */
export function readCertificate(der: Buffer): Certificate {
  const node = new NodeCertificate(der);
  // OpenSSL, which verifies, must see the bytes that the other parser sees, and not only the first of them.
  if (!node.raw.equals(der)) throw new Error('the certificate is not in DER, or has bytes after it');
  const { BasicConstraintsExtension, X509Certificate } = loadX509();
  const parsed = new X509Certificate(Uint8Array.from(der));
  const constraints = parsed.getExtension(BasicConstraintsExtension);
  const types = parsed.extensions.map(({ type }) => type);
  return {
    der,
    node,
    from: parsed.notBefore.getTime(),
    until: parsed.notAfter.getTime(),
    authority: constraints?.ca,
    pathLength: constraints?.pathLength ?? Number.POSITIVE_INFINITY,
    selfIssued: parsed.subject === parsed.issuer,
    strange:
      new Set(types).size < types.length ||
      parsed.extensions.some(({ critical, type }) => critical && !UNDERSTOOD.includes(type)),
    aaguid: readAaguid(parsed.getExtension(AAGUID)?.value),
    firmware: readVersion(parsed.getExtension(FIRMWARE)?.value),
  };
}

/** An OCTET STRING of 16 bytes. */
function readAaguid(value: ArrayBuffer | undefined): string | undefined {
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value);
  if (bytes.length !== 18 || bytes[0] !== 0x04 || bytes[1] !== 16) throw new Error('the AAGUID cannot be read');
  return bytes.toString('hex', 2).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** An INTEGER that is not negative, of at most 6 bytes: a version has 4 (FIDO Metadata Statement v3.1, `authenticatorVersion`). */
function readVersion(value: ArrayBuffer | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value);
  const length = bytes[1] ?? 0;
  const fits = bytes[0] === 0x02 && length >= 1 && length <= 6 && bytes.length === 2 + length;
  if (!fits || (bytes[2] ?? 0) >= 0x80) throw new Error('the firmware version cannot be read');
  return bytes.readUIntBE(2, length);
}
