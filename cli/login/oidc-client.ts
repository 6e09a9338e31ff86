import * as client from 'openid-client';
import { isLoopbackHttp } from '../network/loopback-http.ts';
import { askServer, UnfitAnswer } from '../server-api/ask-server.ts';
import { foreignEndpoint } from '../server-api/endpoints.ts';
import { serverRefusal } from '../server-api/refusal.ts';
import { parseJson } from '../text/parse-json.ts';
import { explainServerError } from './explain-server-error.ts';

/** This program's client ID at the server. */
export const clientId = 'vouch-cli';

/**
 * Reads the server's discovery document (OpenID Connect Discovery 1.0, section 4).
 *
 * @param server the issuer URL
 * @param signal ends this and every later request of the configuration
 * @throws Problem `server-unreachable`; `not-a-vouch-server`, also when an endpoint is not on the server's own origin, so that we
 *   send nothing to a stranger, and open no page of theirs, in the server's name
 */
export async function discover(server: string, signal: AbortSignal): Promise<client.Configuration> {
  const local = isLoopbackHttp(new URL(server));
  try {
    const config = await client.discovery(
      new URL(server),
      clientId,
      { dpop_bound_access_tokens: true },
      client.None(),
      {
        [client.customFetch]: (url, options) => boundedFetch(new URL(url), options, signal),
        // Checks the ID token's signature, although the token comes from the server itself. OpenID Connect Core 1.0, section
        // 3.1.3.7, allows trusting TLS instead, but a proxy that terminates TLS in front of the server cannot sign for it.
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
 * Fetches the server's keys, so that the check of the ID token need not wait for them. If this fails, the check fetches the keys
 * itself, and reports the failure.
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

/**
 * Sends what openid-client sends, within the limits of every request to the server. The library's own time-out is longer than
 * ours.
 */
async function boundedFetch(url: URL, options: client.CustomFetchOptions, signal: AbortSignal): Promise<Response> {
  const { method, headers, body } = options;
  const answer = await askServer(url, {
    method,
    headers: Object.fromEntries(new Headers(headers)),
    // The bodies here are always forms.
    body: body ? String(body) : undefined,
    signal,
  });
  const { status } = answer;
  // openid-client itself answers a challenge (RFC 9449, section 8).
  if (status >= 400 && answer.headers['www-authenticate'] === undefined) {
    const refusal = serverRefusal(status, parseJson(answer.body.toString('utf8')));
    if (refusal !== undefined) throw refusal;
  }
  const fields = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
  // These statuses allow no body (Fetch standard, null body status).
  const empty = [204, 205, 304].includes(status);
  return new Response(empty ? null : Uint8Array.from(answer.body), { status, headers: fields });
}
