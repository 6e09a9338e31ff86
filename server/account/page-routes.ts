import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import express, { type Request, type Response, Router } from 'express';
import { sourceOf } from '../audit/request-source.ts';
import type { Context } from '../context.ts';
import { badRequest, credentialBody } from '../http/body.ts';
import { keysOf } from '../people/keys.ts';
import { isoTime } from '../text/iso-time.ts';
import { browserName } from '../web-sessions/browser-name.ts';
import { clearCookie, cookieOf, setCookie } from '../web-sessions/cookie.ts';
import { requireWebSession } from '../web-sessions/require-web-session.ts';
import { renew, signIn, signInOptions, touchOptions } from '../web-sessions/touch.ts';
import { endWebSessions, IDLE_MS, type WebSessionSecrets } from '../web-sessions/web-sessions.ts';
import { endingAnswer, historyAnswer, keyAnswer, sessionsAnswer } from './answers.ts';
import { webCaller } from './caller.ts';
import { listHistory } from './history.ts';
import { addKey, listOwnKeys, newKeyOptions, removeOwnKey, renameKey } from './keys.ts';
import { idParameter, nameOrNot, newName } from './parameters.ts';
import { endOtherSessions, endOwnSession, listOwnSessions, reportNotMe } from './sessions.ts';

/** The routes under /account that the page "My account" calls; docs/http-api.md lists them. */
export function accountPageRoutes(context: Context): Router {
  const router = Router();
  const session = requireWebSession(context);
  // Read after `session`: the server does not read a stranger's body, except the answer of a key.
  const credential = express.json({ limit: '64kb' });
  const body = express.json({ limit: '4kb' });

  router.post('/account/sign-in/options', async (_request, response) => {
    response.json(await signInOptions(context));
  });

  router.post('/account/sign-in/verify', credential, async (request, response) => {
    const answer = credentialBody<AuthenticationResponseJSON>(request.body);
    const browser = browserName(request.get('user-agent'));
    const secrets = await signIn(context, answer, { browser, before: cookieOf(request), from: sourceOf(request) });
    sendSecrets(response, secrets);
  });

  router.post('/account/touch/options', session, async (_request, response) => {
    const { webSession } = response.locals;
    response.json(await touchOptions(context, webSession, await keysOf(context.store, webSession.email)));
  });

  router.post('/account/touch/verify', session, credential, async (request, response) => {
    const answer = credentialBody<AuthenticationResponseJSON>(request.body);
    sendSecrets(response, await renew(context, response.locals.webSession, answer, sourceOf(request)));
  });

  router.post('/account/sign-out', session, async (request, response) => {
    const { id } = response.locals.webSession;
    const why = { reason: 'signed-out' as const, from: sourceOf(request) };
    await context.store.transaction().execute((transaction) => endWebSessions(transaction, context.now(), { id }, why));
    clearCookie(response);
    response.status(204).end();
  });

  router.get('/account/me', session, (_request, response) => {
    const { email, role, since, touchedAt, expiresAt } = response.locals.webSession;
    response.json({
      email,
      role,
      since: isoTime(since),
      touchedAt: isoTime(touchedAt),
      expiresAt: isoTime(expiresAt),
      idleSeconds: IDLE_MS / 1000,
      host: new URL(context.config.issuer).host,
    });
  });

  router.get('/account/keys', session, async (request, response) => {
    const keys = await listOwnKeys(context, webCaller(request, response));
    response.json({ keys: keys.map(keyAnswer) });
  });

  router.post('/account/keys/options', session, async (request, response) => {
    response.json(await newKeyOptions(context, webCaller(request, response)));
  });

  router.post('/account/keys/verify', session, credential, async (request, response) => {
    const answer = credentialBody<RegistrationResponseJSON>(request.body);
    response.json({ key: await addKey(context, webCaller(request, response), answer, nameOrNot(request.body)) });
  });

  router.patch('/account/keys/:id', session, body, async (request, response) => {
    await renameKey(context, webCaller(request, response), idParameter(request), newName(request.body));
    response.status(204).end();
  });

  router.delete('/account/keys/:id', session, async (request, response) => {
    const removal = await removeOwnKey(context, webCaller(request, response), idParameter(request));
    if (removal.signedOut) clearCookie(response);
    response.json(endingAnswer(removal));
  });

  router.get('/account/sessions', session, async (request, response) => {
    const caller = webCaller(request, response);
    response.json(sessionsAnswer(await listOwnSessions(context.store, context.now(), caller)));
  });

  router.delete('/account/sessions', session, async (request, response) => {
    response.json(endingAnswer(await endOtherSessions(context, webCaller(request, response))));
  });

  router.delete('/account/sessions/:id', session, async (request, response) => {
    const id = idParameter(request);
    const ending = await endOwnSession(context, webCaller(request, response), id);
    if (id === response.locals.webSession.id) clearCookie(response);
    response.json(endingAnswer(ending));
  });

  router.post('/account/not-me', session, async (request, response) => {
    const ending = await reportNotMe(context, webCaller(request, response));
    clearCookie(response);
    response.json(endingAnswer(ending));
  });

  router.get('/account/history', session, async (request, response) => {
    const caller = webCaller(request, response);
    response.json(historyAnswer(await listHistory(context.store, caller, cursorOf(request))));
  });

  return router;
}

function sendSecrets(response: Response, { cookie, page }: WebSessionSecrets): void {
  setCookie(response, cookie);
  response.json({ page });
}

/** Where a page of the history begins. */
function cursorOf(request: Request): number | undefined {
  const { before } = request.query;
  if (before === undefined) return undefined;
  if (typeof before !== 'string' || !/^\d{1,15}$/.test(before)) throw badRequest('before should be a number');
  return Number(before);
}
