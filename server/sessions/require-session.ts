import type { RequestHandler } from 'express';
import type { JWK } from 'jose';
import { type AuthorizationServer, allowInsecureRequests, customFetch, validateJwtAccessToken } from 'oauth4webapi';
import { apiAudience } from '../config/audiences.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem/problem.ts';
import { hash } from '../secrets.ts';
import { statement } from '../store/statement.ts';
import { sessionOver } from './session-over.ts';
import { type ActiveSession, findActiveSession } from './sessions.ts';

/**
 * How long a DPoP proof is remembered after its token's end, in milliseconds: longer than oauth4webapi accepts one (5 minutes either
 * way). Not counted from its use, because a clock that is set back shows the same minutes twice.
 */
const PROOF_MEMORY_MS = 15 * 60 * 1000;

declare global {
  namespace Express {
    interface Locals {
      session: ActiveSession;
    }
  }
}

/**
 * Lets a request through if it carries one of our DPoP-bound access tokens (RFC 9068, RFC 9449) with an active session, and puts
 * that session into `response.locals.session`.
 */
export function requireSession(context: Context): RequestHandler {
  const { issuer } = context.config;
  const ownServer = ownKeys(context);

  return async (request, response, next) => {
    const headers = new Headers();
    for (const name of ['authorization', 'dpop']) {
      // If a header comes twice, neither counts: a proxy in front of us may have checked the other one.
      const [value, ...others] = request.headersDistinct[name] ?? [];
      if (value !== undefined && others.length === 0 && value.length <= 8192) headers.set(name, value);
    }
    const asked = new Request(issuer + request.originalUrl, { method: request.method, headers });
    const { server, fetchKeys } = ownServer();
    const claims = await validateJwtAccessToken(server, asked, apiAudience(issuer), {
      requireDPoP: true,
      signingAlgorithms: ['ES256'],
      [customFetch]: fetchKeys,
      // Safe with http://localhost, because the fetch above sends nothing.
      [allowInsecureRequests]: context.config.local,
    }).catch((error: Error) => {
      throw tokenRefused(error.message);
    });
    await useProof(context, headers.get('dpop') ?? '', claims.exp * 1000);
    const id = typeof claims.sid === 'string' ? claims.sid : '';
    const session = await findActiveSession(context.store, id, context.now());
    if (session === undefined || session.email !== claims.sub) {
      throw await sessionOver(context, context.store, { id, email: claims.sub }, context.now());
    }
    response.locals.session = session;
    next();
  };
}

/**
 * What oauth4webapi needs to know of our keys, without a request to ourselves. It remembers the keys of a server by this object, so each
 * change of the keys makes a new one: a revoked key counts no longer.
 */
function ownKeys({ config: { issuer }, keys }: Context) {
  let made: { keys: readonly JWK[]; server: AuthorizationServer; fetchKeys: () => Promise<Response> } | undefined;
  return () => {
    const published = keys.published();
    if (made?.keys !== published) {
      const jwks = JSON.stringify({ keys: published });
      made = {
        keys: published,
        server: { issuer, jwks_uri: `${issuer}/jwks` },
        fetchKeys: async () => new Response(jwks, { headers: { 'content-type': 'application/json' } }),
      };
    }
    return made;
  };
}

/** A proof is good for one request (RFC 9449, section 11.1). One atomic statement decides which. */
async function useProof(context: Context, proof: string, tokenEnds: number): Promise<void> {
  const identity = proofIdentity(proof);
  if (identity === undefined) throw tokenRefused('the DPoP proof has an empty jti');
  const [used] = await addProof(context.store, { proof: hash(identity), ends: tokenEnds + PROOF_MEMORY_MS });
  if (used === undefined) throw tokenRefused('the DPoP proof has been used');
}

const addProof = statement((store, { proof, ends }: { proof: string; ends: number }) =>
  store
    .insertInto('dpop_proofs')
    .values({ proof_hash: proof, expires_at: ends })
    .onConflict((conflict) => conflict.doNothing())
    .returning('proof_hash'),
);

/** A verified proof's key and `jti`, which must not come twice, whatever else the proof contains. Undefined if `jti` is empty. */
function proofIdentity(proof: string): string | undefined {
  const [header = '', payload = ''] = proof.split('.', 2);
  const { jwk } = decode<{ jwk: { x: string; y: string } }>(header);
  const { jti } = decode<{ jti: string }>(payload);
  return jti.trim() === '' ? undefined : JSON.stringify([jwk.x, jwk.y, jti]);
}

function decode<Part>(part: string): Part {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Part;
}

function tokenRefused(reason: string): Problem {
  return new Problem({
    kind: 'token-refused',
    what: 'The access token or its DPoP proof was refused',
    fix: 'Run `vouch login`.',
    reason,
    headers: { 'WWW-Authenticate': 'DPoP error="invalid_token", algs="ES256"' },
  });
}
