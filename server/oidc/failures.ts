import type { Request } from 'express';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from 'pino';
import { isAborted } from '../http/aborted.ts';
import { logged } from '../http/outage-log.ts';
import { Problem } from '../problem/problem.ts';
import { StoreUnavailable } from '../store/unavailable.ts';

/** The ID that http/request-log.ts gave the request. */
export function requestIdOf(ctx: KoaContextWithOIDC): string {
  return (ctx.req as Request).id;
}

/** Logs what goes wrong inside oidc-provider. */
export function reportFailures(provider: Provider, log: Logger): void {
  provider.on('server_error', (ctx, error) => {
    log.error({ ...logged(error), id: requestIdOf(ctx) }, 'oidc-provider failed');
    answerUnavailable(ctx, error);
  });
  // Koa's event for errors outside oidc-provider's handlers. Without a listener Koa prints a stack on standard error.
  provider.on(
    'error' as never,
    ((error: Error & { headers?: Record<string, string> }, ctx: KoaContextWithOIDC) => {
      const id = requestIdOf(ctx);
      if (isAborted(error)) log.debug({ err: error, id }, 'the client has gone');
      else log.error({ ...logged(error), id }, 'oidc-provider failed');
      // Koa then removes every header that the answer had, and sets these.
      error.headers = { ...error.headers, 'X-Request-Id': id };
    }) as never,
  );
}

/**
 * Answers as the rest of the server does when the database, or what signs, is away: with 503 and the time to try again (RFC 9110, section
 * 10.2.3). False for any other error.
 */
export function answerUnavailable(ctx: KoaContextWithOIDC, error: unknown): boolean {
  const noStore = error instanceof StoreUnavailable;
  if (!noStore && !(error instanceof Problem && error.kind === 'unavailable')) return false;
  ctx.status = 503;
  ctx.set(error.headers);
  const what = noStore ? 'store' : 'sign';
  ctx.body = { error: 'temporarily_unavailable', error_description: `the server cannot ${what} anything now` };
  return true;
}
