/**
 * Changes an ES256 signature from DER (RFC 3279, section 2.2.3) to JWS's form (RFC 7518, section 3.4). The reader of certificates reads
 * such signatures too; it takes long to load, so it is loaded at the first one.
 *
 * @throws when it is no such signature
 */
export async function jwsSignature(der: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  await import('reflect-metadata');
  const { AsnEcSignatureFormatter } = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const signature = new AsnEcSignatureFormatter().toWebSignature(algorithm, Uint8Array.from(der));
  if (signature === null) throw new Error('this is no ECDSA signature');
  return new Uint8Array(signature);
}
