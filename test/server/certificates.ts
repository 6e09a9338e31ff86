import 'reflect-metadata';
import { KeyObject } from 'node:crypto';
import { BasicConstraintsExtension, X509CertificateGenerator } from '@peculiar/x509';
import type { Certificate } from './soft-key.ts';

/** An attestation certificate that meets WebAuthn, section 8.2.1, and that no authority has signed. */
export async function selfSignedCertificate(): Promise<Certificate> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'C=CH, O=Test Keys, OU=Authenticator Attestation, CN=Test Key',
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new BasicConstraintsExtension(false)],
  });
  return { der: Buffer.from(certificate.rawData), privateKey: KeyObject.from(keys.privateKey as never) };
}
