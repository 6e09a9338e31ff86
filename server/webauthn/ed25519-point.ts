/** The prime of Curve25519, and the d of its Edwards form (RFC 8032, section 5.1). */
const P = 2n ** 255n - 19n;
const D = mod(-121_665n * power(121_666n, P - 2n));

/**
 * Whether 32 bytes are a point of Ed25519 that can be a public key: OpenSSL, and so Node, imports any 32 bytes.
 *
 * False for bytes that are not on the curve or not in canonical form (RFC 8032, section 5.1.3), and for points of small order, for which
 * anybody can make signatures. Nothing here is secret, so the time that it takes may depend on the input.
 */
export function isGoodEd25519Point(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false;
  const littleEndian = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const y = BigInt.asUintN(255, littleEndian);
  if (y >= P) return false;
  const ySquared = mod(y * y);
  // x² = (y² - 1) / (d y² + 1) has a root if and only if numerator times denominator has one (Euler's criterion).
  if (power(mod((ySquared - 1n) * (D * ySquared + 1n)), (P - 1n) / 2n) !== 1n) return false;
  // Order 4 has y = 0; orders 1 and 2 have y² = 1, which failed above; of order 8, twice the point has y = 0, so x² = -y².
  return ySquared !== 0n && mod(D * ySquared * ySquared + 2n * ySquared - 1n) !== 0n;
}

function mod(value: bigint): bigint {
  return ((value % P) + P) % P;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base), rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}
