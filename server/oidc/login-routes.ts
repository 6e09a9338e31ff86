import { randomUUID } from 'node:crypto';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { type Request, Router } from 'express';
import type Provider from 'oidc-provider';
import { audit, type RequestSource } from '../audit/audit.ts';
import { countingRefusals } from '../audit/refusals.ts';
import { sourceOf } from '../audit/request-source.ts';
import type { Context } from '../context.ts';
import { credentialBody } from '../http/body.ts';
import { shouldSuggestSpare } from '../people/suggest-spare.ts';
import { Problem } from '../problem/problem.ts';
import { randomSecret } from '../secrets.ts';
import { endSessionsNow, startSession } from '../sessions/sessions.ts';
import { isoTime } from '../text/iso-time.ts';
import { type AssertedKey, acceptCounter, assertionOptions, verifyAssertion } from '../webauthn/assertion.ts';
import { takeInteraction } from './adapter.ts';
import type { LoginWords } from './login-words.ts';
import type { ServingProvider, TouchResult } from './provider.ts';
import { resumeInteraction } from './resume-without-cookies.ts';

/** How long it may take from the verified touch to the code, in seconds. */
const FINISHING_SECONDS = 60;

/**
 * The routes of the sign-in page; docs/http-api.md lists them.
 *
 * A sign-in is bound to a browser by its challenge, which is secret, good for one answer, and given to the page that asks for it. The
 * code goes only to that page, in the answer to the request with the touch. No cookie is involved that an attacker could plant, and no
 * URL returns the code.
 */
export function loginRoutes(context: Context, current: () => ServingProvider, words: LoginWords): Router {
  const router = Router();

  router.get('/login/:uid/details', async (request, response) => {
    const { provider } = current();
    const { uid, iat, exp, params } = await findInteraction(provider, request);
    const client = await provider.Client.find(String(params.client_id));
    response.json({
      uid,
      client: client?.clientName ?? 'An unknown program',
      machine: params.machine ?? null,
      words: words(String(params.code_challenge)),
      requestedAt: isoTime(iat * 1000),
      expiresAt: isoTime(exp * 1000),
      host: new URL(context.config.issuer).host,
    });
  });

  router.post('/login/:uid/options', async (request, response) => {
    const { provider } = current();
    const { uid } = await findInteraction(provider, request);
    response.json(await assertionOptions(context, 'sign-in', uid));
  });

  router.post('/login/:uid/verify', async (request, response) => {
    const { provider } = current();
    const interaction = await findInteraction(provider, request);
    const credential = credentialBody<AuthenticationResponseJSON>(request.body);
    const { machine: said } = interaction.params;
    const machine = typeof said === 'string' ? said : null;
    const started = await signIn(context, interaction.uid, credential, machine, sourceOf(request));
    const { key, sessionId, authTime, expiresAt, suggestSpare } = started;
    const result: TouchResult = {
      // RFC 8176: proof of possession of a hardware key, user presence, more than one factor.
      login: { accountId: key.email, amr: ['hwk', 'user', 'mfa'], remember: false, ts: authTime },
      vouch: { sessionId },
    };
    try {
      response.json({
        redirectTo: await finish(provider, interaction, { ...result }, 'code'),
        session: { email: key.email, machine, expiresAt: isoTime(expiresAt) },
        suggestSpare,
      });
    } catch (error) {
      // Nobody has the code, so the session must not stay.
      const why = { reason: 'sign-in-unfinished' as const, actor: 'server', from: sourceOf(request) };
      await endSessionsNow(context.store, context.now(), { id: sessionId }, why);
      throw error;
    }
  });

  router.post('/login/:uid/cancel', async (request, response) => {
    const { provider } = current();
    const interaction = await findInteraction(provider, request);
    if (!(await takeInteraction(context.store, interaction.uid))) throw signInOver();
    const result = { error: 'access_denied', error_description: 'cancelled in the browser' };
    response.json({ redirectTo: await finish(provider, interaction, result, 'error') });
  });

  return router;
}

type Interaction = InstanceType<Provider['Interaction']>;

/** The interaction that the page's URL names. */
async function findInteraction(provider: Provider, request: Request): Promise<Interaction> {
  const interaction = await provider.Interaction.find(String(request.params.uid));
  if (interaction === undefined || interaction.prompt.name !== 'login') throw signInOver();
  return interaction;
}

/**
 * Lets the provider turn a result into the client's callback. For that the interaction gets a new, secret name: knowing the page's URL
 * is not enough to replace the result.
 *
 * @param interaction one that was taken (`takeInteraction`)
 * @param wanted the parameter that the callback must have
 * @returns the URL of the client's callback
 * @throws Problem `interaction-over` for any other answer, such as when another page has already led to this request's code
 */
async function finish(
  provider: Provider,
  interaction: Interaction,
  result: Record<string, unknown>,
  wanted: 'code' | 'error',
): Promise<string> {
  interaction.uid = randomSecret();
  interaction.result = result;
  await interaction.save(FINISHING_SECONDS);
  const place = URL.parse((await resumeInteraction(provider, interaction.uid)) ?? '');
  const callback = URL.parse(String(interaction.params.redirect_uri));
  const there = place !== null && place.origin === callback?.origin && place.pathname === callback.pathname;
  if (!there || !place.searchParams.has(wanted)) throw signInOver();
  return place.href;
}

function signInOver(): Problem {
  return new Problem({ kind: 'interaction-over', what: 'This sign-in is over', fix: 'Run `vouch login` again.' });
}

/** Verifies the touch and starts its session. Counter, interaction, session and audit row change in one transaction. */
async function signIn(
  context: Context,
  uid: string,
  credential: AuthenticationResponseJSON,
  machine: string | null,
  from: RequestSource,
): Promise<{ key: AssertedKey; sessionId: string; authTime: number; expiresAt: number; suggestSpare: boolean }> {
  return countingRefusals(context, { event: 'sign-in-refused', keyId: credential.id, from }, async () => {
    const key = await verifyAssertion(context, 'sign-in', uid, credential);
    const sessionId = randomUUID();
    // In whole seconds, like the token's auth_time and exp.
    const authTime = Math.floor(context.now() / 1000);
    const expiresAt = (authTime + context.config.sessionSeconds) * 1000;
    const suggestSpare = await context.store.transaction().execute(async (transaction) => {
      const now = context.now();
      await acceptCounter(transaction, key, now);
      if (!(await takeInteraction(transaction, uid))) throw signInOver();
      const suggestSpare = await shouldSuggestSpare(transaction, key.personId, now);
      await startSession(transaction, {
        id: sessionId,
        personId: key.personId,
        keyId: key.keyId,
        machine,
        authTime: authTime * 1000,
        expiresAt,
        suggestSpare,
      });
      await audit(transaction, now, {
        event: 'signed-in',
        actor: key.email,
        subject: key.email,
        from,
        machine,
        keyId: key.keyId,
        sessionId,
      });
      return suggestSpare;
    });
    return { key, sessionId, authTime, expiresAt, suggestSpare };
  });
}
