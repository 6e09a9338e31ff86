import { randomUUID } from 'node:crypto';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { type Request, type Response, Router } from 'express';
import type Provider from 'oidc-provider';
import { audit } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { credentialBody } from '../http/body.ts';
import { Problem } from '../problem.ts';
import { type AssertedKey, acceptCounter, assertionOptions, verifyAssertion } from '../webauthn/assertion.ts';
import type { TouchResult } from './provider.ts';

/** The routes that the sign-in page calls; docs/http-api.md lists them. */
export function loginRoutes(context: Context, provider: Provider): Router {
  const router = Router();

  router.get('/login/:uid/details', async (request, response) => {
    const { uid, iat, exp, params } = await findInteraction(provider, request, response);
    const client = await provider.Client.find(String(params.client_id));
    response.json({
      uid,
      client: client?.clientName ?? 'An unknown program',
      machine: params.machine ?? null,
      requestedAt: new Date(iat * 1000).toISOString(),
      expiresAt: new Date(exp * 1000).toISOString(),
      host: new URL(context.config.issuer).host,
    });
  });

  router.post('/login/:uid/options', async (request, response) => {
    const { uid } = await findInteraction(provider, request, response);
    response.json(await assertionOptions(context, 'sign-in', uid));
  });

  router.post('/login/:uid/verify', async (request, response) => {
    const { uid, params } = await findInteraction(provider, request, response);
    const credential = credentialBody<AuthenticationResponseJSON>(request.body);
    const machine = typeof params.machine === 'string' ? params.machine : null;
    const { key, sessionId, authTime } = await signIn(context, uid, credential, machine, String(request.ip));
    const result: TouchResult = {
      // RFC 8176: proof of possession of a hardware key, user presence, more than one factor.
      login: { accountId: key.email, amr: ['hwk', 'user', 'mfa'], remember: false, ts: authTime },
      vouch: { sessionId },
    };
    response.json({ redirectTo: await finish(provider, request, response, { ...result }) });
  });

  router.post('/login/:uid/cancel', async (request, response) => {
    await findInteraction(provider, request, response);
    const result = { error: 'access_denied', error_description: 'cancelled in the browser' };
    response.json({ redirectTo: await finish(provider, request, response, result) });
  });

  return router;
}

/** The interaction of this page: `oidc-provider` finds it by a signed cookie that only the browser that asked has. */
async function findInteraction(provider: Provider, request: Request, response: Response) {
  const over = new Problem(410, 'interaction-over', 'This sign-in is over', 'Run `vouch login` again.');
  try {
    const interaction = await provider.interactionDetails(request, response);
    if (interaction.uid !== request.params.uid || interaction.prompt.name !== 'login') throw over;
    return interaction;
  } catch (error) {
    if ((error as Error).name === 'SessionNotFound') throw over;
    throw error;
  }
}

/** Verifies the touch and starts the session with it: counter, session and audit row stand or fall together. */
async function signIn(
  context: Context,
  uid: string,
  credential: AuthenticationResponseJSON,
  machine: string | null,
  ip: string,
): Promise<{ key: AssertedKey; sessionId: string; authTime: number }> {
  try {
    const key = await verifyAssertion(context, 'sign-in', uid, credential);
    const sessionId = randomUUID();
    // In whole seconds, because the token's auth_time and exp are.
    const authTime = Math.floor(context.now() / 1000);
    await context.store.transaction().execute(async (transaction) => {
      const now = context.now();
      await acceptCounter(transaction, key, now);
      await transaction
        .insertInto('sessions')
        .values({
          id: sessionId,
          person_id: key.personId,
          key_id: key.keyId,
          grant_id: null,
          machine,
          auth_time: authTime * 1000,
          expires_at: (authTime + context.config.sessionSeconds) * 1000,
          revoked_at: null,
        })
        .execute();
      await audit(transaction, now, {
        event: 'signed-in',
        email: key.email,
        keyId: key.keyId,
        sessionId,
        ip,
        detail: { machine },
      });
    });
    return { key, sessionId, authTime };
  } catch (error) {
    if (error instanceof Problem) {
      await audit(context.store, context.now(), {
        event: 'sign-in-refused',
        keyId: credential.id,
        ip,
        detail: { machine, problem: error.problem, reason: error.reason },
      });
    }
    throw error;
  }
}

function finish(provider: Provider, request: Request, response: Response, result: Record<string, unknown>) {
  return provider.interactionResult(request, response, result, { mergeWithLastSubmission: false });
}
