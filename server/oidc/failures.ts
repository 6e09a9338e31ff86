import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from 'pino';
import { isAborted } from '../http/aborted.ts';
import { StoreUnavailable } from '../store/unavailable.ts';

/** Logs what goes wrong inside oidc-provider. */
export function reportFailures(provider: Provider, log: Logger): void {
  provider.on('server_error', (ctx, error) => {
    log.error({ err: error }, 'oidc-provider failed');
    answerUnavailable(ctx, error);
  });
  // Koa's event for errors outside oidc-provider's handlers. Without a listener Koa prints a stack on standard error.
  provider.on(
    'error' as never,
    ((error: unknown) => {
      if (isAborted(error)) log.debug({ err: error }, 'the client has gone');
      else log.error({ err: error }, 'oidc-provider failed');
    }) as never,
  );
}

/**
 * Answers StoreUnavailable as the rest of the server does: with 503 and the time to try again (RFC 9110, section 10.2.3). False for any
 * other error.
 */
export function answerUnavailable(ctx: KoaContextWithOIDC, error: unknown): boolean {
  if (!(error instanceof StoreUnavailable)) return false;
  ctx.status = error.statusCode;
  ctx.set(error.headers);
  ctx.body = { error: 'temporarily_unavailable', error_description: 'the server cannot store anything now' };
  return true;
}
