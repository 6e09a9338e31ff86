import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';

/**
 * Gives each request an ID of our own, and logs one line for it, with only the first word of its path: the rest may be a ticket, and a
 * query may be a code.
 */
export function requestLog(log: Logger): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    request.id = randomUUID();
    response.set('X-Request-Id', request.id);
    response.once('close', () => {
      const path = `/${request.originalUrl.split(/[/?#]/, 2)[1] ?? ''}`.slice(0, 40).replace(/[^\x21-\x7e]/g, '?');
      log.info(
        {
          method: request.method,
          path,
          status: response.writableFinished ? response.statusCode : 'aborted',
          ms: Math.round(performance.now() - start),
          ip: request.ip,
          id: request.id,
        },
        'request',
      );
    });
    next();
  };
}
