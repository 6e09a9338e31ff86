import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { Problem } from '../problem.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { isAborted } from './aborted.ts';

/** Answers a problem as RFC 9457 says. */
export function sendProblem(response: Response, problem: Problem): void {
  response
    .status(problem.status)
    .set({ 'Cache-Control': 'no-store', ...problem.headers })
    .type('application/problem+json')
    .send(JSON.stringify(problem));
}

export const notFound: RequestHandler = (_request, response) => {
  sendProblem(response, new Problem(404, 'not-found', 'There is nothing at this address', 'Check the URL.'));
};

/** The last handler: a Problem is answered as it is, everything else as an error that tells nothing. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    if (isAborted(error)) {
      // The line of the request says it; there is nobody to answer.
      log.debug({ err: error }, 'the client has gone');
      response.destroy();
      return;
    }
    if (response.headersSent) {
      // Half an answer may not look like a whole one.
      log.error({ err: error }, 'request failed');
      response.destroy();
      return;
    }
    const problem = asProblem(error);
    if (problem.status >= 500) log.error({ err: error }, 'request failed');
    else log.info({ problem: problem.problem, reason: problem.reason }, 'request refused');
    sendProblem(response, problem);
  };
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailable) {
    return new Problem(
      503,
      'unavailable',
      'The server cannot store anything now',
      'Try again in a moment; if it stays, tell your administrator.',
      { headers: error.headers },
    );
  }
  // What express.json() throws: too large, not JSON, a broken encoding.
  const status = (error as { status?: unknown }).status;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(status, 'bad-request', 'The request could not be read', 'Reload the page and try again.');
  }
  return new Problem(
    500,
    'internal-error',
    'Something went wrong on the server',
    'Try again; if it stays, tell your administrator.',
  );
}
