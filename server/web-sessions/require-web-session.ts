import type { RequestHandler } from 'express';
import type { Context } from '../context.ts';
import { cookieOf } from './cookie.ts';
import { useWebSession, type WebSession, webSessionOver } from './web-sessions.ts';

/** The header in which a page sends its half of the session. Another site's page cannot send it, so it also stops forged requests. */
const PAGE_HEADER = 'vouch-page';

declare global {
  namespace Express {
    interface Locals {
      webSession: WebSession;
    }
  }
}

/**
 * Lets a request through if its cookie and its page's secret belong to one active web session, and puts that session into
 * `response.locals.webSession`.
 */
export function requireWebSession(context: Context): RequestHandler {
  return async (request, response, next) => {
    const cookie = cookieOf(request);
    const page = request.get(PAGE_HEADER);
    if (cookie === undefined || page === undefined) throw webSessionOver();
    const session = await useWebSession(context.store, context.now(), { cookie, page });
    if (session === undefined) throw webSessionOver();
    response.locals.webSession = session;
    next();
  };
}
