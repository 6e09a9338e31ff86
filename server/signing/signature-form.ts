/** The length of each of the two numbers of an ES256 signature, in bytes. */
const LENGTH = 32;

/**
 * Changes an ES256 signature from JWS's form (RFC 7518, section 3.4) to DER (RFC 3279, section 2.2.3), the only one that `node:crypto`
 * takes without a detour: with `dsaEncoding` each use of a key first fails twice inside Node, which takes longer than signing.
 *
 * @param signature 64 bytes
 */
export function derOf(signature: Uint8Array): Uint8Array {
  const numbers = [...derNumber(signature.subarray(0, LENGTH)), ...derNumber(signature.subarray(LENGTH))];
  return Uint8Array.of(0x30, numbers.length, ...numbers);
}

/** In DER a number has no zeros in front, but for one where its first bit would be a sign. */
function derNumber(bytes: Uint8Array): number[] {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? [0] : [...bytes.subarray(first)];
  if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
  return [0x02, digits.length, ...digits];
}

/** The other way round. @param der what OpenSSL has made with a key on P-256 */
export function jwsFormOf(der: Uint8Array): Uint8Array {
  const signature = new Uint8Array(2 * LENGTH);
  let at = 2;
  for (const end of [LENGTH, 2 * LENGTH]) {
    const next = at + 2 + (der[at + 1] ?? 0);
    const digits = der.subarray(Math.max(at + 2, next - LENGTH), next);
    signature.set(digits, end - digits.length);
    at = next;
  }
  return signature;
}
