import * as client from 'openid-client';
import { Problem, printable } from '../problem.ts';

/** The name that the server knows this program by. */
const CLIENT_ID = 'vouch-cli';

/** How long the server may take to answer one request, in seconds. */
const TIMEOUT_SECONDS = 10;

/**
 * Reads the server's discovery document (OpenID Connect Discovery 1.0, section 4).
 *
 * @param server the issuer URL
 * @throws Problem `server-unreachable` or `not-a-vouch-server`
 */
export async function discover(server: string): Promise<client.Configuration> {
  const local = server.startsWith('http://localhost');
  try {
    return await client.discovery(new URL(server), CLIENT_ID, { dpop_bound_access_tokens: true }, client.None(), {
      timeout: TIMEOUT_SECONDS,
      // The ID token's signature is checked even though it comes from the server itself (OpenID Connect Core 1.0, section
      // 3.1.3.7, allows to trust TLS instead): whoever terminates TLS before the server cannot sign for it.
      execute: [client.enableNonRepudiationChecks, ...(local ? [client.allowInsecureRequests] : [])],
    });
  } catch (error) {
    throw explainServerError(server, error);
  }
}

/** A failed request to the server in words: unreachable, refused, or not a Vouch server at all. */
export function explainServerError(server: string, error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { cause, message, code } = error as Error & { cause?: unknown; code?: string };
  if (error instanceof client.AuthorizationResponseError && error.error === 'access_denied') {
    return new Problem({
      kind: 'cancelled',
      what: 'The sign-in was cancelled in the browser.',
      fix: 'Run `vouch login` to try again.',
      exitCode: 5,
    });
  }
  if (error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError) {
    return new Problem({
      kind: 'refused',
      what: `${new URL(server).host} refused the request.`,
      why: printable(error.error_description ?? error.error),
      fix: 'Run the command again; if it stays, tell your administrator.',
      exitCode: 5,
    });
  }
  const reason = networkReason(error) ?? networkReason(cause);
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

/** What went wrong on the way, where it was the way: fetch hides it in `cause`. */
function networkReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'TimeoutError' || error.name === 'AbortError') {
    return `No answer within ${TIMEOUT_SECONDS} seconds.`;
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error.cause === undefined ? undefined : networkReason(error.cause);
  const known: Record<string, string> = {
    ECONNREFUSED: 'Nothing listens there: the connection was refused.',
    ENOTFOUND: 'The host name is not known.',
    EAI_AGAIN: 'The host name could not be looked up.',
    ECONNRESET: 'The connection was cut.',
    ETIMEDOUT: 'The connection timed out.',
    SELF_SIGNED_CERT_IN_CHAIN: 'Its TLS certificate is signed by an authority that this machine does not know.',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Its TLS certificate is signed by an authority that this machine does not know.',
    CERT_HAS_EXPIRED: 'Its TLS certificate has expired.',
    ERR_TLS_CERT_ALTNAME_INVALID: 'Its TLS certificate is for another host.',
    ERR_SSL_WRONG_VERSION_NUMBER: 'It does not speak TLS on this port.',
    ERR_SSL_PACKET_LENGTH_TOO_LONG: 'It does not speak TLS on this port.',
  };
  return (
    known[code] ?? (/^(E[A-Z]+|ERR_TLS|ERR_SSL|CERT_|UND_ERR_)/.test(code) ? `${error.message} (${code})` : undefined)
  );
}
