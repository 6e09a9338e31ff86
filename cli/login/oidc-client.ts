import * as client from 'openid-client';
import { clockSkew } from '../network/clock-skew.ts';
import { isLoopbackHttp } from '../network/loopback-http.ts';
import { networkFailure, networkFix, whyUnreachable } from '../network/reason.ts';
import { Problem } from '../problem/problem.ts';
import { askServer, UnfitAnswer } from '../server-api/ask-server.ts';
import { foreignEndpoint } from '../server-api/endpoints.ts';
import { isPassing, serverRefusal } from '../server-api/refusal.ts';
import { printable } from '../text/printable.ts';

/** The name that the server knows this program by. */
export const CLIENT_ID = 'vouch-cli';

/**
 * Reads the server's discovery document (OpenID Connect Discovery 1.0, section 4).
 *
 * @param server the issuer URL
 * @param signal ends this and every later request of the configuration
 * @throws Problem `server-unreachable`; `not-a-vouch-server`, also when an endpoint is not on the server's own origin: nothing
 *   is sent, and no page opened, that goes to somebody else in the server's name
 */
export async function discover(server: string, signal: AbortSignal): Promise<client.Configuration> {
  const local = isLoopbackHttp(new URL(server));
  try {
    const config = await client.discovery(
      new URL(server),
      CLIENT_ID,
      { dpop_bound_access_tokens: true },
      client.None(),
      {
        [client.customFetch]: (url, options) => boundedFetch(new URL(url), options, signal),
        // The ID token's signature is checked even though it comes from the server itself (OpenID Connect Core 1.0, section
        // 3.1.3.7, allows to trust TLS instead): whoever terminates TLS before the server cannot sign for it.
        execute: [client.enableNonRepudiationChecks, ...(local ? [client.allowInsecureRequests] : [])],
      },
    );
    const elsewhere = foreignEndpoint({ ...config.serverMetadata() }, server);
    if (elsewhere !== undefined) throw new UnfitAnswer(elsewhere);
    return config;
  } catch (error) {
    throw explainServerError(server, error);
  }
}

/**
 * Fetches the server's keys, so that nobody waits for them when an ID token is to be checked. Where that fails, the check fetches
 * them itself, and tells.
 */
export async function fetchKeysAhead(config: client.Configuration): Promise<void> {
  const { jwks_uri = '' } = config.serverMetadata();
  const response = await config[client.customFetch]?.(jwks_uri, {
    body: undefined,
    headers: { accept: 'application/json' },
    method: 'GET',
    redirect: 'manual',
  });
  if (response?.status !== 200) return;
  client.setJwksCache(config, { jwks: await response.json(), uat: Math.floor(Date.now() / 1000) });
}

/** What openid-client sends, sent within the bounds of every request to the server; its own time-out comes later than ours. */
async function boundedFetch(url: URL, options: client.CustomFetchOptions, signal: AbortSignal): Promise<Response> {
  const { method, headers, body } = options;
  const answer = await askServer(url, {
    method,
    headers: Object.fromEntries(new Headers(headers)),
    // Forms alone: nothing else is ever sent here.
    body: body ? String(body) : undefined,
    signal,
  });
  const { status } = answer;
  // Not one that openid-client itself has an answer to (RFC 9449, section 8).
  if (status >= 400 && answer.headers['www-authenticate'] === undefined) {
    const refusal = serverRefusal(status, parse(answer.body));
    if (refusal !== undefined) throw refusal;
  }
  const fields = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
  // Those of no content may have no body (Fetch, null body status).
  const empty = [204, 205, 304].includes(status);
  return new Response(empty ? null : Uint8Array.from(answer.body), { status, headers: fields });
}

/** A failed request to the server in words: unreachable, refused, or not a Vouch server at all. */
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
    return new Problem({
      kind: 'server-unreachable',
      what: `${new URL(server).host} cannot be reached.`,
      why: reason,
      network: networkFailure(error),
      fix: networkFix(error) ?? 'Check your network or VPN and the URL, then try again.',
    });
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
  return new Problem({
    kind: 'not-a-vouch-server',
    what: `${new URL(server).host} did not answer as a Vouch server does.`,
    why: printable(unfit?.message ?? `${message}${code ? ` (${code})` : ''}`),
    fix: 'Check the URL with your administrator; behind a hotel’s or a company’s sign-in page, sign in there first.',
  });
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

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
