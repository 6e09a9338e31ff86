import type { RequestHandler } from 'express';
import type { Config } from '../config/config.ts';
import { inRanges, readAddress, readForwarded } from '../network/ip-address.ts';
import { Problem } from '../problem/problem.ts';

/**
 * Finds out which address a request came from, and puts it into `request.ip` in canonical form. Limits count by it; the log and the
 * audit table show it.
 *
 * Reads X-Forwarded-For from its end, for as long as its writers are proxies of VOUCH_TRUST_PROXY: anything before that came from a
 * stranger. With an https issuer such a proxy must name the client, and unless the server speaks TLS itself, only those proxies get an
 * answer. Otherwise all people would look like one and share one limit. All other headers that name a client, such as Forwarded (RFC
 * 7239), count for nothing.
 */
export function clientAddress(config: Config): RequestHandler {
  const isProxy = inRanges(config.trustedProxies);
  return (request, _response, next) => {
    const peer = readAddress((request.socket.remoteAddress ?? '').replace(/%.*$/, ''));
    if (peer === undefined) {
      throw new Problem({ kind: 'bad-request', what: 'The connection is over', fix: 'Try again.' });
    }
    const forwarded = request.headers['x-forwarded-for'];
    const client = forwarded === undefined ? peer : beforeProxies(peer, String(forwarded), isProxy);
    Object.defineProperty(request, 'ip', { value: client ?? peer, configurable: true });
    if (!config.local && config.tls === undefined && !isProxy(peer)) {
      throw new Problem({
        kind: 'misdirected-request',
        what: `This server is behind a proxy, and does not know ${peer}`,
        fix: `Use ${config.issuer}. If that is the proxy, name it in VOUCH_TRUST_PROXY.`,
      });
    }
    if (client === undefined || (!config.local && forwarded === undefined && isProxy(peer))) {
      throw new Problem({
        kind: 'bad-request',
        what: `The proxy at ${peer} does not say whose request this is`,
        fix: 'It must set X-Forwarded-For to the address that the request came from.',
      });
    }
    next();
  };
}

/** The last address that is not one of our proxies; undefined if a proxy wrote something that is not an address. */
function beforeProxies(peer: string, forwarded: string, isProxy: (address: string) => boolean): string | undefined {
  let client: string | undefined = peer;
  for (const entry of forwarded.split(',').reverse()) {
    if (!isProxy(client)) break;
    client = readForwarded(entry);
    if (client === undefined) break;
  }
  return client;
}
