import { type RequestHandler, Router } from 'express';
import { sourceOf } from '../audit/request-source.ts';
import type { Context } from '../context.ts';
import { isoTime } from '../text/iso-time.ts';
import type { SessionWatch } from './session-watch.ts';
import { endSessionsNow } from './sessions.ts';

/** `/api/session`: the holder of a session sees it, ends it, and is told when somebody else ends it. */
export function sessionRoutes(context: Context, requireSession: RequestHandler, watch: SessionWatch): Router {
  const router = Router();

  router.get('/api/session', requireSession, (_request, response) => {
    const { session } = response.locals;
    response.json({
      email: session.email,
      key: { name: session.keyName, model: session.keyModel },
      authTime: isoTime(session.authTime),
      expiresAt: isoTime(session.expiresAt),
      suggestSpare: session.suggestSpare === 1,
    });
  });

  router.delete('/api/session', requireSession, async (request, response) => {
    const { id } = response.locals.session;
    await endSessionsNow(context.store, context.now(), { id }, { reason: 'signed-out', from: sourceOf(request) });
    response.status(204).end();
  });

  router.get('/api/session/events', requireSession, (_request, response) => {
    const { id, email } = response.locals.session;
    watch.open({ id, email }, response);
  });

  return router;
}
