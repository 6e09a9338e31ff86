import { randomUUID } from 'node:crypto';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { type Request, Router } from 'express';
import { errors, type default as Provider } from 'oidc-provider';
import { audit, type RequestSource } from '../audit/audit.ts';
import { countingRefusals } from '../audit/refusals.ts';
import { sourceOf } from '../audit/request-source.ts';
import type { Context } from '../context.ts';
import { credentialBody } from '../http/body.ts';
import { shouldSuggestSpare } from '../people/suggest-spare.ts';
import { Problem } from '../problem/problem.ts';
import { startSession } from '../sessions/sessions.ts';
import type { StoreTransaction } from '../store/store.ts';
import { isoTime } from '../text/iso-time.ts';
import { type AssertedKey, acceptCounter, assertionOptions, verifyAnswer } from '../webauthn/assertion.ts';
import { useChallenge } from '../webauthn/challenges.ts';
import { type ClientData, challengeUsed, withClientData } from '../webauthn/client-data.ts';
import { takeInteraction } from './adapter.ts';
import { Finishing } from './finishing.ts';
import type { LoginWords } from './login-words.ts';
import { PASTED_CODE_SECONDS, pasteText, pasteUri } from './paste.ts';
import type { ServingProvider, TouchResult } from './provider.ts';
import { resumeInteraction } from './resume-without-cookies.ts';

/**
 * The routes of the sign-in page; docs/http-api.md lists them.
 *
 * A sign-in is bound to a browser by its challenge, which is secret, good for one answer, and given to the page that asks for it. The
 * code goes only to that page, in the answer to the request with the touch. No cookie is involved that an attacker could plant, and no
 * URL returns the code. A sign-in by paste differs only in what the page does with it: it goes nowhere, and shows the code.
 */
export function loginRoutes(context: Context, current: () => ServingProvider, words: LoginWords): Router {
  const router = Router();
  const { issuer, allowPaste } = context.config;
  const isPaste = ({ params }: Interaction) => params.redirect_uri === pasteUri(issuer);

  /** The interaction that the page's URL names. */
  const findInteraction = async (provider: Provider, request: Request): Promise<Interaction> => {
    const interaction = await provider.Interaction.find(String(request.params.uid));
    if (interaction === undefined || interaction.prompt.name !== 'login') throw signInOver();
    // The library checks the redirect URI when the request is pushed, and since then the setting may have changed.
    if (isPaste(interaction) && !allowPaste) throw signInOver();
    return interaction;
  };

  router.get('/login/:uid/details', async (request, response) => {
    const { provider } = current();
    const interaction = await findInteraction(provider, request);
    const { uid, iat, exp, params } = interaction;
    const client = await provider.Client.find(String(params.client_id));
    response.json({
      uid,
      client: client?.clientName ?? 'An unknown program',
      machine: params.machine ?? null,
      words: words(String(params.code_challenge)),
      paste: isPaste(interaction),
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
    const serving = current();
    const interaction = await findInteraction(serving.provider, request);
    const credential = credentialBody<AuthenticationResponseJSON>(request.body);
    const { machine: said } = interaction.params;
    const machine = typeof said === 'string' ? said : null;
    const from = sourceOf(request);
    const paste = isPaste(interaction);
    const { key, expiresAt, suggestSpare, redirectTo } = await signIn(context, serving, interaction, {
      credential,
      machine,
      paste,
      from,
    });
    const session = { email: key.email, machine, expiresAt: isoTime(expiresAt) };
    if (!paste) {
      response.json({ redirectTo, session, suggestSpare });
      return;
    }
    const code = String(new URL(redirectTo).searchParams.get('code'));
    response.json({
      paste: pasteText(words(String(interaction.params.code_challenge)), code),
      pasteSeconds: PASTED_CODE_SECONDS,
      session,
      suggestSpare,
    });
  });

  router.post('/login/:uid/cancel', async (request, response) => {
    const serving = current();
    const interaction = await findInteraction(serving.provider, request);
    if (!(await takeInteraction(context.store, interaction.uid))) throw signInOver();
    const result = { error: 'access_denied', error_description: 'cancelled in the browser' };
    const { redirectTo, finishing } = await finish(serving, interaction, result, 'error');
    await context.store.transaction().execute((transaction) => finishing.store(transaction));
    // No terminal listens there.
    response.json({ redirectTo: isPaste(interaction) ? null : redirectTo });
  });

  return router;
}

type Interaction = InstanceType<Provider['Interaction']>;

/**
 * Lets the provider turn a result into the client's callback.
 *
 * @param wanted the parameter that the callback must have
 * @returns the URL of the client's callback, and what must be stored before anybody gets it
 * @throws Problem `interaction-over` for any other answer, such as when another page has already led to this request's code
 */
async function finish(
  serving: ServingProvider,
  interaction: Interaction,
  result: Record<string, unknown>,
  wanted: 'code' | 'error',
): Promise<{ redirectTo: string; finishing: Finishing }> {
  const finishing = new Finishing(interaction, result);
  const place = URL.parse((await resumeInteraction(serving, finishing)) ?? '');
  const callback = URL.parse(String(interaction.params.redirect_uri));
  const there = place !== null && place.origin === callback?.origin && place.pathname === callback.pathname;
  if (!there || !place.searchParams.has(wanted)) throw signInOver();
  return { redirectTo: place.href, finishing };
}

function signInOver(): Problem {
  return new Problem({ kind: 'interaction-over', what: 'This sign-in is over', fix: 'Run `vouch login` again.' });
}

interface SignedIn {
  key: AssertedKey;
  expiresAt: number;
  suggestSpare: boolean;
  /** Where the page goes, with the code. */
  redirectTo: string;
}

/**
 * Verifies the touch and starts its session. Challenge, counter, interaction, request, code, session and audit row change in one
 * transaction, which is short: the verification and oidc-provider's work are done before.
 */
async function signIn(
  context: Context,
  serving: ServingProvider,
  interaction: Interaction,
  touch: { credential: AuthenticationResponseJSON; machine: string | null; paste: boolean; from: RequestSource },
): Promise<SignedIn> {
  const { credential, machine, paste, from } = touch;
  const { uid } = interaction;
  const step = async (clientData: ClientData): Promise<SignedIn> => {
    const key = await verifyAnswer(context, 'sign-in', clientData, credential);
    // In whole seconds, like the token's auth_time and exp.
    const authTime = Math.floor(context.now() / 1000);
    const expiresAt = (authTime + context.config.sessionSeconds) * 1000;
    const result: TouchResult = {
      // RFC 8176: proof of possession of a hardware key, user presence, more than one factor.
      login: { accountId: key.email, amr: ['hwk', 'user', 'mfa'], remember: false, ts: authTime },
    };
    const { redirectTo, finishing } = await finish(serving, interaction, { ...result }, 'code');
    const { grantId } = finishing;
    if (grantId === undefined) throw new Error('oidc-provider made a code without a grant');
    const suggestSpare = await context.store.transaction().execute(async (transaction) => {
      const now = context.now();
      if (!(await useChallenge(transaction, now, 'sign-in', uid, clientData.challenge))) throw challengeUsed();
      await acceptCounter(transaction, key, now);
      if (!(await takeInteraction(transaction, uid))) throw signInOver();
      await storeOrOver(finishing, transaction);
      const suggestSpare = await shouldSuggestSpare(transaction, key.personId, now);
      const sessionId = randomUUID();
      await startSession(transaction, {
        id: sessionId,
        personId: key.personId,
        keyId: key.keyId,
        machine,
        authTime: authTime * 1000,
        expiresAt,
        suggestSpare,
        grantId,
      });
      await audit(transaction, now, {
        event: 'signed-in',
        actor: key.email,
        subject: key.email,
        from,
        machine,
        keyId: key.keyId,
        sessionId,
        ...(paste ? { detail: { paste } } : {}),
      });
      return suggestSpare;
    });
    return { key, expiresAt, suggestSpare, redirectTo };
  };
  return countingRefusals(context, { event: 'sign-in-refused', keyId: credential.id, from }, () =>
    withClientData(context, 'sign-in', uid, credential.response.clientDataJSON, step),
  );
}

/** Another page may have led to this request's code since oidc-provider looked. */
async function storeOrOver(finishing: Finishing, transaction: StoreTransaction): Promise<void> {
  await finishing.store(transaction).catch((error: unknown) => {
    throw error instanceof errors.InvalidGrant ? signInOver() : error;
  });
}
