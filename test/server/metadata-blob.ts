import 'reflect-metadata';
import { sign } from 'node:crypto';
import { X509Certificate } from '@peculiar/x509';
import { SettingsService } from '@simplewebauthn/server';
import { type Made, makeAuthority, makeCertificate, pem, type Wanted } from './make-certificates.ts';

/** An authority like the one that signs FIDO's metadata, and the certificate of the Metadata Service. */
export interface BlobSigner {
  root: Made;
  /** Signed the signing certificate. */
  authority: Made;
  /** The signing certificate's, in hexadecimal. */
  serialNumber: string;
  /** Signs a payload. @param header members to add to the header or to replace in it */
  sign: (payload: unknown, header?: Record<string, unknown>) => string;
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** @param wanted what the signing certificate is like; by default it names the Metadata Service */
export async function makeBlobSigner(wanted: Wanted = {}): Promise<BlobSigner> {
  const root = await makeAuthority('Blob Root');
  const intermediate = await makeAuthority('Blob Authority', { by: root });
  const leaf = await makeCertificate({
    subject: 'C=US, O=Test Alliance, CN=mds.fidoalliance.org',
    by: intermediate,
    ...wanted,
  });
  return {
    root,
    authority: intermediate,
    serialNumber: new X509Certificate(Uint8Array.from(leaf.der)).serialNumber,
    sign: (payload, more = {}) => {
      const x5c = [leaf, intermediate].map(({ der }) => der.toString('base64'));
      const signed = `${base64url({ alg: 'ES256', typ: 'JWT', x5c, ...more })}.${base64url(payload)}`;
      const signature = sign('sha256', Buffer.from(signed), { key: leaf.privateKey, dsaEncoding: 'ieee-p1363' });
      return `${signed}.${signature.toString('base64url')}`;
    },
  };
}

/** A payload (FIDO Metadata Service v3.1, section 3.1.6). */
export function payloadOf(more: { no?: number; nextUpdate?: string; entries?: unknown[] } = {}) {
  return { legalHeader: 'For tests.', no: 1, nextUpdate: '2126-01-01', entries: [], ...more };
}

/** An entry for a model of key (section 3.1.1). */
export function modelEntry(model: {
  aaguid: string;
  roots?: { der: Buffer }[];
  statusReports?: Record<string, unknown>[];
  description?: string;
  authenticatorVersion?: number;
  icon?: string;
}) {
  const {
    aaguid,
    roots = [],
    statusReports = [],
    description = 'Test Key 3000',
    authenticatorVersion = 1,
    icon,
  } = model;
  return {
    aaguid,
    metadataStatement: {
      aaguid,
      description,
      authenticatorVersion,
      protocolFamily: 'fido2',
      schema: 3,
      attestationRootCertificates: roots.map(({ der }) => der.toString('base64')),
      ...(icon === undefined ? {} : { icon }),
    },
    statusReports,
    timeOfLastStatusChange: '2024-01-01',
  };
}

/** A picture of one pixel, as statements have them. */
export const PNG_URL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Lets SimpleWebAuthn trust only this signer's root for metadata, for the rest of the test file. */
export function trustForMetadata(signer: BlobSigner): void {
  SettingsService.setRootCertificates({ identifier: 'mds', certificates: [pem(signer.root)] });
}
