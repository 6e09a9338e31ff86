import * as client from 'openid-client';
import { clockSkew } from '../clock-skew.ts';
import { networkFailure } from '../network-reason.ts';
import { Problem, printable } from '../problem.ts';

/** The name that the server knows this program by. */
const CLIENT_ID = 'vouch-cli';

/** How long the server may take to answer one request, in seconds. */
const TIMEOUT_SECONDS = 10;

/**
 * Reads the server's discovery document (OpenID Connect Discovery 1.0, section 4).
 *
 * @param server the issuer URL
 * @param signal ends this and every later request of the configuration
 * @throws Problem `server-unreachable` or `not-a-vouch-server`
 */
export async function discover(server: string, signal: AbortSignal): Promise<client.Configuration> {
  const local = server.startsWith('http://localhost');
  try {
    return await client.discovery(new URL(server), CLIENT_ID, { dpop_bound_access_tokens: true }, client.None(), {
      timeout: TIMEOUT_SECONDS,
      [client.customFetch]: (url, options) =>
        fetch(url, {
          ...options,
          signal: options.signal ? AbortSignal.any([signal, options.signal]) : signal,
        } as RequestInit),
      // The ID token's signature is checked even though it comes from the server itself (OpenID Connect Core 1.0, section
      // 3.1.3.7, allows to trust TLS instead): whoever terminates TLS before the server cannot sign for it.
      execute: [client.enableNonRepudiationChecks, ...(local ? [client.allowInsecureRequests] : [])],
    });
  } catch (error) {
    throw explainServerError(server, error);
  }
}

/**
 * Fetches the server's keys, so that nobody waits for them when an ID token is to be checked. Where that fails, the check fetches
 * them itself, and tells.
 */
export async function fetchKeysAhead(config: client.Configuration): Promise<void> {
  const { issuer, jwks_uri = '' } = config.serverMetadata();
  // The check would refuse keys that came without TLS.
  if (new URL(jwks_uri).protocol !== new URL(issuer).protocol) return;
  const response = await config[client.customFetch]?.(jwks_uri, {
    body: undefined,
    headers: { accept: 'application/json' },
    method: 'GET',
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000),
  });
  if (response?.status !== 200) return;
  client.setJwksCache(config, { jwks: await response.json(), uat: Math.floor(Date.now() / 1000) });
}

/** A failed request to the server in words: unreachable, refused, or not a Vouch server at all. */
export function explainServerError(server: string, error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { message, code } = error as Error & { code?: string };
  if (error instanceof client.AuthorizationResponseError && error.error === 'access_denied') {
    return new Problem({
      kind: 'cancelled',
      what: 'The sign-in was cancelled in the browser.',
      fix: 'Run `vouch login` to try again.',
      exitCode: 5,
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
      exitCode: 5,
    });
  }
  const reason = networkFailure(error);
  if (reason !== undefined) {
    return new Problem({
      kind: 'server-unreachable',
      what: `${new URL(server).host} cannot be reached.`,
      why: reason,
      fix: 'Check your network or VPN and the URL, then try again.',
      exitCode: 4,
    });
  }
  return new Problem({
    kind: 'not-a-vouch-server',
    what: `${new URL(server).host} did not answer as a Vouch server does.`,
    why: printable(`${message}${code ? ` (${code})` : ''}`),
    fix: 'Check the URL with your administrator.',
    exitCode: 4,
  });
}
