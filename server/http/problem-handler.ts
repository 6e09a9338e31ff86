import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { namingContact } from '../problem/administrator.ts';
import { Problem } from '../problem/problem.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { isAborted } from './aborted.ts';
import { logged } from './outage-log.ts';
import { STATUS } from './status.ts';

/**
 * Answers with a problem (RFC 9457). Its `instance` is the request's ID, as in the log, as a URN (RFC 9562, section 4).
 *
 * @param status only if it is not the category's
 * @param contact how to reach the administrator, for problems that send people to them
 */
export function sendProblem(
  response: Response,
  problem: Problem,
  status: number = STATUS[problem.category],
  contact?: string,
): void {
  response.locals.problem = problem.kind;
  response
    .status(status)
    .set({ 'Cache-Control': 'no-store', ...problem.headers })
    .type('application/problem+json')
    .send(
      JSON.stringify({
        ...problem.toJSON(),
        detail: namingContact(problem.fix, contact),
        status,
        instance: `urn:uuid:${response.req.id}`,
      }),
    );
}

export const notFound: RequestHandler = (_request, response) => sendProblem(response, notFoundProblem());

export function notFoundProblem(): Problem {
  return new Problem({ kind: 'not-found', what: 'There is nothing at this address', fix: 'Check the URL.' });
}

/**
 * The last handler: answers a Problem as it is, and any other error without details.
 *
 * @param contact how to reach the administrator
 */
export function problemHandler(log: Logger, contact?: string): ErrorRequestHandler {
  return (error: unknown, { id }, response, _next) => {
    if (isAborted(error)) {
      // Nobody is there to answer, and the request's own line in the log shows it.
      log.debug({ err: error, id }, 'the client has gone');
      response.destroy();
      return;
    }
    if (response.headersSent) {
      // Half an answer must not look like a whole one.
      log.error({ ...logged(error), id }, 'request failed');
      response.destroy();
      return;
    }
    const unreadable = unreadableStatus(error);
    const problem = asProblem(error, unreadable, id);
    const status = unreadable ?? STATUS[problem.category];
    const { kind, members, reason } = problem;
    if (status >= 500) log.error({ ...logged(error), id }, 'request failed');
    else log.info({ problem: kind, members, reason, id }, 'request refused');
    sendProblem(response, problem, status, contact);
  };
}

/** The status from Express for a request that it could not read: too large, not JSON, a broken encoding. */
function unreadableStatus(error: unknown): number | undefined {
  if (error instanceof Problem) return undefined;
  const { status } = error as { status?: unknown };
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

/** @param id the request's: whoever reads about an unknown error can name it to somebody who finds it in the log */
function asProblem(error: unknown, unreadable: number | undefined, id: string): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailable) {
    return new Problem({
      kind: 'unavailable',
      what: 'The server cannot store anything now',
      fix: 'Try again in a moment. If it happens again, tell your administrator.',
      headers: error.headers,
    });
  }
  if (unreadable !== undefined) {
    return new Problem({
      kind: 'bad-request',
      what: 'The request could not be read',
      fix: 'Reload the page and try again.',
    });
  }
  return new Problem({
    kind: 'internal-error',
    what: 'Something went wrong on the server',
    fix: `Try again. If it happens again, tell your administrator, whose log has it as ${id}.`,
  });
}
