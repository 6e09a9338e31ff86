import { SettingsService } from '@simplewebauthn/server';
import { compactVerify } from 'jose';
import { type Certificate, readCertificate } from '../certificates/certificate.ts';
import { findPaths, type Path } from '../certificates/chain.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { checkNotRevoked } from './revocation.ts';

/** In bytes: some four times what FIDO publishes. */
export const MAX_BLOB = 32 * 1024 * 1024;

/** The most certificates in a header. */
const MAX_CERTIFICATES = 10;

/** Hosts of the Metadata Service, one of which its signing certificate names. */
const SIGNERS = ['mds.fidoalliance.org', 'mds3.fidoalliance.org'];

/** Algorithms of signatures (RFC 7518, section 3.1) that take a certificate's key. FIDO uses RS256. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];

/**
 * Verifies an edition of FIDO's metadata (FIDO Metadata Service v3.1, sections 3.1.7 and 3.2): the signature, the chain of its
 * certificates to a root of SimpleWebAuthn's (`SettingsService`, identifier `mds`), and that none of them was revoked.
 *
 * The root signs certificates for all the world. So the signing certificate must be the Metadata Service's own.
 *
 * @param now milliseconds since the epoch
 * @param milliseconds how long asking for lists of revoked certificates may take
 * @throws Error when the blob is not FIDO's, or not one
 */
export async function verifyBlob(blob: string, now: number, milliseconds: number): Promise<Metadata> {
  const path = signerOf(blob, now);
  const key = path.certificates[0]?.node.publicKey;
  if (key === undefined) throw new Error('a path has at least one certificate');
  const { payload } = await compactVerify(blob, key, { algorithms: ALGORITHMS });
  await checkNotRevoked(path, AbortSignal.timeout(milliseconds)).catch((error: Error) => {
    throw error.name === 'TimeoutError' ? new Error('lists of revoked certificates do not come in time') : error;
  });
  return readMetadata(JSON.parse(Buffer.from(payload).toString()));
}

/** Reads an edition that was verified before. */
export function readVerifiedBlob(blob: string): Metadata {
  return readMetadata(decode(blob.split('.', 2)[1]));
}

/** The path from the Metadata Service's certificate to a trusted one. */
function signerOf(blob: string, now: number): Path {
  const parts = blob.split('.', 4);
  if (blob.length > MAX_BLOB || parts.length !== 3) throw new Error('it is not a signed edition of FIDO’s metadata');
  const { x5c } = Object(decode(parts[0])) as { x5c?: unknown };
  if (!Array.isArray(x5c) || x5c.length > MAX_CERTIFICATES || !x5c.every((der) => typeof der === 'string')) {
    throw new Error('it has no certificates');
  }
  const chain = x5c.map((der) => readCertificate(Buffer.from(String(der), 'base64')));
  const path = findPaths(chain, roots()).find(({ from, until }) => from <= now && now <= until);
  if (path === undefined) {
    throw new Error('its certificate does not lead to a trusted one, or is not valid now');
  }
  if (!SIGNERS.some((host) => chain[0]?.node.checkHost(host) !== undefined)) {
    throw new Error('its certificate is not that of FIDO’s Metadata Service');
  }
  return path;
}

function roots(): Certificate[] {
  return SettingsService.getRootCertificates({ identifier: 'mds' }).map((pem) =>
    readCertificate(Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64')),
  );
}

/** A part of a JWT. */
function decode(part = ''): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}
