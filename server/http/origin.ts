import type { RequestHandler } from 'express';
import type { Config } from '../config/config.ts';
import { Problem } from '../problem/problem.ts';

/**
 * Refuses requests that were made to another host (DNS rebinding, a proxy that hides the name), and those that another
 * site's page sends. Then tells oidc-provider which scheme the outside has, by our configuration and nobody's header.
 */
export function ownOrigin(config: Config): RequestHandler {
  const { host, protocol, origin } = new URL(config.issuer);
  return (request, _response, next) => {
    // RFC 9112, section 3.2: of two Hosts a proxy before us may have meant the other one.
    if ((request.headersDistinct.host?.length ?? 0) > 1) {
      throw new Problem({ kind: 'bad-request', what: 'The request names two hosts', fix: `Use ${config.issuer}.` });
    }
    // A target in absolute form (RFC 9112, section 3.2.2) is meant for a proxy, and names a host of its own.
    if (request.headers.host?.toLowerCase() !== host || !request.originalUrl.startsWith('/')) {
      throw new Problem({
        kind: 'misdirected-request',
        what: `This server answers as ${host} alone`,
        fix: `Use ${config.issuer}, or have your proxy pass the Host header on.`,
      });
    }
    if (request.headers.origin !== undefined && request.headers.origin !== origin) {
      throw new Problem({
        kind: 'bad-request',
        category: 'refused',
        what: 'Another site’s page sent this request',
        fix: `Open ${config.issuer} itself.`,
      });
    }
    request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    delete request.headers['x-forwarded-host'];
    next();
  };
}
