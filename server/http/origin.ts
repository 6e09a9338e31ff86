import type { RequestHandler } from 'express';
import type { Config } from '../config/config.ts';
import { Problem } from '../problem/problem.ts';

/**
 * Refuses requests to another host (DNS rebinding, a proxy that hides the name) and requests from another site's page. Then gives
 * oidc-provider the outer scheme, from our configuration and not from a header.
 */
export function ownOrigin(config: Config): RequestHandler {
  const { host, protocol, origin } = new URL(config.issuer);
  return (request, _response, next) => {
    // RFC 9112, section 3.2: a proxy in front of us may have used the other one.
    if ((request.headersDistinct.host?.length ?? 0) > 1) {
      throw new Problem({ kind: 'bad-request', what: 'The request names two hosts', fix: `Use ${config.issuer}.` });
    }
    // A target in absolute form (RFC 9112, section 3.2.2) is for proxies, and contains another host.
    if (request.headers.host?.toLowerCase() !== host || !request.originalUrl.startsWith('/')) {
      throw new Problem({
        kind: 'misdirected-request',
        what: `This server answers only as ${host}`,
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
