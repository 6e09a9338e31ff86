import type { RequestHandler } from 'express';
import type { Config } from '../config/config.ts';
import { inRanges, readAddress, readForwarded } from '../network/ip-address.ts';
import { Problem } from '../problem/problem.ts';

/**
 * Finds out whose request it is, and puts that into `request.ip`, in the address's one form: what limits count by, and what log and
 * audit table tell.
 *
 * X-Forwarded-For is read from its end, for as long as those who wrote it are proxies of VOUCH_TRUST_PROXY; whatever stands before
 * that was sent by a stranger. With an https issuer somebody must have ended TLS before us, so only such proxies are
 * answered, and they must say whose request it is: else all people would be one, and share one limit.
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
    if (!config.local && !isProxy(peer)) {
      throw new Problem({
        kind: 'misdirected-request',
        what: `This server is behind a proxy, and ${peer} is none that it knows`,
        fix: `Use ${config.issuer}. If that is the proxy, name it in VOUCH_TRUST_PROXY.`,
      });
    }
    if (client === undefined || (!config.local && forwarded === undefined)) {
      throw new Problem({
        kind: 'bad-request',
        what: `The proxy at ${peer} does not say whose request this is`,
        fix: 'It must set X-Forwarded-For to the address that the request came from: docs/administration.md shows how.',
      });
    }
    next();
  };
}

/** The last address that no proxy of ours has; undefined where a proxy wrote something that is none. */
function beforeProxies(peer: string, forwarded: string, isProxy: (address: string) => boolean): string | undefined {
  let client: string | undefined = peer;
  for (const entry of forwarded.split(',').reverse()) {
    if (!isProxy(client)) break;
    client = readForwarded(entry);
    if (client === undefined) break;
  }
  return client;
}
