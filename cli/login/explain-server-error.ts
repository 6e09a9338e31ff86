import * as client from 'openid-client';
import { clockSkew } from '../network/clock-skew.ts';
import { networkFailure, networkFix, whyUnreachable } from '../network/reason.ts';
import { Problem } from '../problem/problem.ts';
import { UnfitAnswer } from '../server-api/ask-server.ts';
import { notAVouchServer, serverUnreachable } from '../server-api/problems.ts';
import { isPassing } from '../server-api/refusal.ts';
import { printable } from '../text/printable.ts';

/** Explains a failed request to the server: it is unreachable, it refused, or it is not a Vouch server. */
export function explainServerError(server: string, error: unknown): Problem {
  const { cause } = error as Error;
  if (error instanceof Problem) return error;
  if (cause instanceof Problem) return cause;
  const { message, code } = error as Error & { code?: string };
  if (error instanceof client.AuthorizationResponseError && error.error === 'access_denied') {
    return new Problem({
      kind: 'cancelled',
      what: 'The sign-in was cancelled in the browser.',
      fix: 'Run `vouch login` to try again.',
    });
  }
  const skew =
    error instanceof client.ResponseBodyError ? clockSkew(error.response.headers.get('date'), Date.now()) : undefined;
  if (skew) return skew;
  if (error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError) {
    return new Problem({
      kind: 'refused',
      what: `${new URL(server).host} refused the request.`,
      why: printable(error.error_description ?? error.error),
      fix: 'Run the command again; if it stays, tell your administrator.',
    });
  }
  const reason = whyUnreachable(error);
  if (reason !== undefined) {
    const fix = networkFix(error) ?? 'Check your network or VPN and the URL, then try again.';
    return new Problem(serverUnreachable(server, reason, { network: networkFailure(error), fix }));
  }
  const unfit = unfitAnswer(error);
  if (unfit?.status !== undefined && isPassing(unfit.status)) {
    return new Problem({
      kind: 'server-unreachable',
      what: `${new URL(server).host} cannot answer now.`,
      why: `${unfit.message} It is down, or has too much to do.`,
      fix: 'Try again in a minute; if it stays, tell your administrator.',
    });
  }
  return notAVouchServer(server, printable(unfit?.message ?? `${message}${code ? ` (${code})` : ''}`));
}

function unfitAnswer(error: unknown): UnfitAnswer | undefined {
  const { cause } = error as Error;
  if (error instanceof UnfitAnswer) return error;
  if (cause instanceof UnfitAnswer) return cause;
  if (!(cause instanceof Response) || cause.ok) return undefined;
  const { status } = cause;
  const redirected = status >= 300 && status <= 399;
  const elsewhere = redirected ? ', which sends us elsewhere, and is not followed' : '';
  return new UnfitAnswer(`It answered with status ${status}${elsewhere}.`, status);
}
