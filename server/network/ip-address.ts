import { BlockList, isIP } from 'node:net';

/**
 * An IP address in its canonical form: IPv6 shortened and in lower case (RFC 5952), an IPv4-mapped IPv6 address as IPv4.
 *
 * @returns undefined for anything else, such as an address with a zone or a port
 */
export function readAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  if (family !== 6 || text.includes('%')) return undefined;
  // The WHATWG URL Standard serializes IPv6 hosts in that form.
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}

/** An address as proxies write it in X-Forwarded-For: perhaps with a port, and IPv6 then in brackets. */
export function readForwarded(text: string): string | undefined {
  const [, bracketed, withPort] = /^(?:\[([^[\]]+)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(text.trim()) ?? [];
  return readAddress(bracketed ?? withPort ?? text.trim());
}

/**
 * A range of addresses, such as 10.0.0.0/8 or 2001:db8::/32. A single address is a range of one.
 *
 * @returns undefined when it is not a range, or is wider than any private one (10.0.0.0/8, fc00::/7)
 */
export function readRange(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [, base = '', written] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = readAddress(base);
  if (address === undefined) return undefined;
  const isV4 = isIP(address) === 4;
  // The prefix of a mapped address would count bits that are gone.
  if (isV4 && isIP(base) === 6 && written !== undefined) return undefined;
  const most = isV4 ? 32 : 128;
  const prefix = written === undefined ? most : Number(written);
  if (prefix > most || prefix < (isV4 ? 8 : 7)) return undefined;
  return { address, prefix, family: isV4 ? 'ipv4' : 'ipv6' };
}

/** Whether an address, in its canonical form, is in one of the ranges. */
export function inRanges(ranges: readonly string[]): (address: string) => boolean {
  // One list per family: to Node every IPv4 address is part of ::/64, because all can be mapped into it.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of ranges) {
    const range = readRange(text);
    if (range === undefined) throw new TypeError(`${text} is not a range of addresses`);
    lists[range.family].addSubnet(range.address, range.prefix, range.family);
  }
  return (address) => {
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    return lists[family].check(address, family);
  };
}

const LOOPBACK = inRanges(['127.0.0.0/8', '::1']);

/** Whether a text is an address of this machine alone, or `localhost`. */
export function isLoopback(text: string): boolean {
  const address = readAddress(text.replace(/^\[|\]$/g, ''));
  return text === 'localhost' || (address !== undefined && LOOPBACK(address));
}

/** RFC 1918, RFC 6598, RFC 3927; RFC 4193, RFC 4291. */
const PRIVATE = inRanges([
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16'],
  ...['fc00::/7', 'fe80::/10'],
]);

/** Whether the internet cannot reach an address. */
export function isPrivate(text: string): boolean {
  const address = readAddress(text);
  return address !== undefined && (LOOPBACK(address) || PRIVATE(address));
}
