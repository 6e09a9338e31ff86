import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from 'pino';
import { isAborted } from '../http/aborted.ts';
import { StoreUnavailable } from '../store/unavailable.ts';

/** Logs what goes wrong below `oidc-provider`. */
export function reportFailures(provider: Provider, log: Logger): void {
  provider.on('server_error', (ctx, error) => {
    log.error({ err: error }, 'oidc-provider failed');
    answerUnavailable(ctx, error);
  });
  // Koa's own, of what goes wrong outside of oidc-provider's handlers; without a listener it writes a stack to standard error.
  provider.on(
    'error' as never,
    ((error: unknown) => {
      if (isAborted(error)) log.debug({ err: error }, 'the client has gone');
      else log.error({ err: error }, 'oidc-provider failed');
    }) as never,
  );
}

/**
 * Answers a database that cannot be written now as it is answered everywhere: with 503 and when to come again (RFC 9110, section
 * 10.2.3). False when the error is another one.
 */
export function answerUnavailable(ctx: KoaContextWithOIDC, error: unknown): boolean {
  if (!(error instanceof StoreUnavailable)) return false;
  ctx.status = error.statusCode;
  ctx.set(error.headers);
  ctx.body = { error: 'temporarily_unavailable', error_description: 'the server cannot store anything now' };
  return true;
}
