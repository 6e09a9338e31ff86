import { ipKeyGenerator } from 'express-rate-limit';

/** A client with one IPv6 address has the 2^64 around it (RFC 6177), so these count as one. */
const IPV6_SUBNET = 64;

/** Under which name limits count what comes from an address. */
export function clientOf(address: string): string {
  return ipKeyGenerator(address, IPV6_SUBNET);
}
