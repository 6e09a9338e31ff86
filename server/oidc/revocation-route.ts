import express, { Router } from 'express';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { sourceOf } from '../audit/request-source.ts';
import { apiAudience, CLIENT_ID } from '../config/audiences.ts';
import type { Context } from '../context.ts';
import { endSessionsNow } from '../sessions/sessions.ts';

/**
 * `POST /token/revocation` (RFC 7009) for our JWT access tokens, which oidc-provider does not store and so cannot revoke. It ends the
 * session behind the token, and with it everything that the token is good for.
 *
 * The client is public, so any holder of the token may revoke it. A thief could do worse with it.
 */
export function revocationRoute(context: Context): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 });

  router.post('/token/revocation', form, async (request, response) => {
    const { token, client_id } = (request.body ?? {}) as Record<string, unknown>;
    response.set('Cache-Control', 'no-store');
    if (client_id !== CLIENT_ID) {
      response.status(401).json({ error: 'invalid_client' });
      return;
    }
    if (typeof token !== 'string' || token === '') {
      response.status(400).json({ error: 'invalid_request', error_description: "'token' is missing" });
      return;
    }
    const id = await sessionOf(context, token);
    if (id !== undefined) {
      await endSessionsNow(context.store, context.now(), { id }, { reason: 'signed-out', from: sourceOf(request) });
    }
    // RFC 7009, section 2.2: a token that is not ours, or no longer good, counts as revoked.
    response.status(200).end();
  });

  return router;
}

async function sessionOf(context: Context, token: string): Promise<string | undefined> {
  const { issuer } = context.config;
  const keys = createLocalJWKSet({ keys: [...context.keys.published()] });
  const checks = { issuer, audience: apiAudience(issuer), typ: 'at+jwt', algorithms: ['ES256'] };
  return jwtVerify(token, keys, checks).then(
    ({ payload }) => (typeof payload.sid === 'string' ? payload.sid : undefined),
    () => undefined,
  );
}
