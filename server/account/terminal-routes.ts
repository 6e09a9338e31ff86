import express, { type RequestHandler, Router } from 'express';
import type { Context } from '../context.ts';
import { endingAnswer, keyAnswer, sessionsAnswer } from './answers.ts';
import { agentCaller } from './caller.ts';
import { listOwnKeys, removeOwnKey, renameKey } from './keys.ts';
import { idParameter, newName } from './parameters.ts';
import { endOtherSessions, endOwnSession, listOwnSessions, reportNotMe } from './sessions.ts';

/** What a terminal does with its person's keys and sessions, with the agent's token; docs/http-api.md lists the routes. */
export function accountTerminalRoutes(context: Context, requireSession: RequestHandler): Router {
  const router = Router();
  const body = express.json({ limit: '4kb' });

  router.get('/api/keys', requireSession, async (request, response) => {
    const keys = await listOwnKeys(context, agentCaller(request, response));
    response.json({ keys: keys.map(keyAnswer) });
  });

  router.patch('/api/keys/:id', requireSession, body, async (request, response) => {
    await renameKey(context, agentCaller(request, response), idParameter(request), newName(request.body));
    response.status(204).end();
  });

  router.delete('/api/keys/:id', requireSession, async (request, response) => {
    response.json(endingAnswer(await removeOwnKey(context, agentCaller(request, response), idParameter(request))));
  });

  router.get('/api/sessions', requireSession, async (request, response) => {
    const caller = agentCaller(request, response);
    response.json(sessionsAnswer(await listOwnSessions(context.store, context.now(), caller)));
  });

  router.delete('/api/sessions', requireSession, async (request, response) => {
    response.json(endingAnswer(await endOtherSessions(context, agentCaller(request, response))));
  });

  router.delete('/api/sessions/:id', requireSession, async (request, response) => {
    response.json(endingAnswer(await endOwnSession(context, agentCaller(request, response), idParameter(request))));
  });

  router.post('/api/not-me', requireSession, async (request, response) => {
    response.json(endingAnswer(await reportNotMe(context, agentCaller(request, response))));
  });

  return router;
}
