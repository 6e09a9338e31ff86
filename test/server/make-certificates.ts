import 'reflect-metadata';
import { KeyObject } from 'node:crypto';
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Certificate } from './soft-key.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A certificate with its keys, which can sign others. */
export interface Made extends Certificate {
  keys: CryptoKeyPair;
  subject: string;
}

/** What a certificate is like. The default of every field is that of a good attestation certificate. */
export interface Wanted {
  subject?: string;
  /** Who signs it; itself, if nobody does. */
  by?: Made;
  /** Its issuer's name, if it is not the signer's. */
  issuer?: string;
  /** With null it says nothing about that. */
  authority?: boolean | null;
  pathLength?: number;
  keyUsage?: KeyUsageFlags;
  notBefore?: Date;
  notAfter?: Date;
  /** The model that it names. */
  aaguid?: string;
  firmware?: number;
  extensions?: Extension[];
  keys?: CryptoKeyPair;
}

/** Makes an X.509 certificate: by default an attestation certificate (WebAuthn, section 8.2.1) that no authority has signed. */
export async function makeCertificate(wanted: Wanted = {}): Promise<Made> {
  const keys = wanted.keys ?? (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']));
  const { subject = 'C=CH, O=Test Keys, OU=Authenticator Attestation, CN=Test Key', by, authority = false } = wanted;
  const extensions = [
    ...(authority === null ? [] : [new BasicConstraintsExtension(authority, wanted.pathLength, true)]),
    ...(wanted.keyUsage === undefined ? [] : [new KeyUsagesExtension(wanted.keyUsage, true)]),
    ...(wanted.aaguid === undefined ? [] : [aaguidExtension(wanted.aaguid)]),
    ...(wanted.firmware === undefined ? [] : [firmwareExtension(wanted.firmware)]),
    ...(wanted.extensions ?? []),
  ];
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: wanted.issuer ?? by?.subject ?? subject,
    notBefore: wanted.notBefore ?? new Date('2020-01-01'),
    notAfter: wanted.notAfter ?? new Date('2120-01-01'),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: (by?.keys ?? keys).privateKey,
    extensions,
  });
  return {
    der: Buffer.from(certificate.rawData),
    privateKey: KeyObject.from(keys.privateKey as never),
    keys,
    subject,
  };
}

/** An authority that signs certificates. */
export function makeAuthority(name: string, wanted: Wanted = {}): Promise<Made> {
  return makeCertificate({
    subject: `C=CH, O=Test Keys, CN=${name}`,
    authority: true,
    keyUsage: KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
    ...wanted,
  });
}

/** A maker of keys: a root, an intermediate authority, and certificates for models. */
export interface Maker {
  root: Made;
  intermediate: Made;
  /** An attestation certificate for a model, with the intermediate authority's. */
  attest: (aaguid: string, wanted?: Wanted) => Promise<Certificate>;
}

export async function makeMaker(name = 'Test Root'): Promise<Maker> {
  const root = await makeAuthority(name);
  const intermediate = await makeAuthority(`${name} Intermediate`, { by: root, pathLength: 0 });
  return {
    root,
    intermediate,
    attest: async (aaguid, wanted = {}) => ({
      ...(await makeCertificate({ by: intermediate, aaguid, ...wanted })),
      chain: [intermediate.der],
    }),
  };
}

/** id-fido-gen-ce-aaguid, an OCTET STRING (WebAuthn, section 8.2.1). */
export function aaguidExtension(aaguid: string, critical = false): Extension {
  const bytes = Buffer.from(aaguid.replaceAll('-', ''), 'hex');
  return new Extension('1.3.6.1.4.1.45724.1.1.4', critical, Uint8Array.from([0x04, bytes.length, ...bytes]));
}

/** id-fido-gen-ce-fw-version, an INTEGER (WebAuthn, section 8.2.1). */
export function firmwareExtension(version: number): Extension {
  const bytes = [version >>> 24, version >>> 16, version >>> 8, version].map((byte) => byte & 0xff);
  return new Extension('1.3.6.1.4.1.45724.1.1.5', false, Uint8Array.from([0x02, 5, 0, ...bytes]));
}

/** PEM (RFC 7468). */
export function pem(...certificates: Certificate[]): string {
  return certificates
    .map(({ der }) => {
      const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
      return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
    })
    .join('');
}
