/** What a key showed of its make when it was enrolled, as it is stored (WebAuthn, section 6.5). */
export interface Attestation {
  fmt: 'packed' | 'fido-u2f';
  /** The attestation certificate and its chain, DER in base64; never empty. */
  x5c: readonly string[];
}

/** @param stored the column `keys.attestation` */
export function readAttestation(stored: string | null): Attestation | null {
  return stored === null ? null : (JSON.parse(stored) as Attestation);
}
