import { printable } from './problem.ts';

/** What error codes mean to a person; the others are shown as they are. */
const KNOWN: Record<string, string> = {
  ECONNREFUSED: 'Nothing listens there: the connection was refused.',
  ECONNRESET: 'The connection was cut.',
  EPIPE: 'The connection was cut.',
  UND_ERR_SOCKET: 'The connection was cut.',
  ENOTFOUND: 'The host name is not known.',
  EAI_AGAIN: 'The host name could not be looked up.',
  ETIMEDOUT: 'It did not answer in time.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Its TLS certificate is signed by an authority that this machine does not know.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Its TLS certificate is signed by an authority that this machine does not know.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Its TLS certificate is signed by an authority that this machine does not know.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Its TLS certificate is signed by an authority that this machine does not know.',
  CERT_HAS_EXPIRED: 'Its TLS certificate has expired.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Its TLS certificate is for another host.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'It does not speak TLS on this port.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'It does not speak TLS on this port.',
};

/**
 * Why a request got no answer, as a sentence for a person: what is innermost says more than the wrapping "fetch failed".
 *
 * @returns undefined when it was not the network, but what came over it
 */
export function networkFailure(error: unknown): string | undefined {
  const innermost = innermostOf(error);
  if (innermost === undefined) return undefined;
  const { code } = innermost as NodeJS.ErrnoException;
  // First, because the AWS SDK calls a cut connection a TimeoutError too.
  const known = code === undefined ? undefined : KNOWN[code];
  if (known !== undefined) return known;
  // Node's two HTTP clients say it in two ways, one of them as if we had given up, the other with the proxy's address.
  if (/tunnel/i.test(innermost.message)) {
    const status = proxyStatus(innermost);
    return `The proxy did not let it through${status ? `: it answered with status ${status}` : ''}.`;
  }
  if (innermost.name === 'TimeoutError' || innermost.name === 'AbortError') return 'It did not answer in time.';
  if (code === undefined || !/^(E[A-Z0-9]+|ERR_(TLS|SSL)_\w+|CERT_\w+|UND_ERR_\w+)$/.test(code)) return undefined;
  return printable(innermost.message.includes(code) ? innermost.message : `${innermost.message} (${code})`, 300);
}

/**
 * Whether a request got no answer for a reason that does not pass by itself: certificates that do not fit, or a proxy that does
 * not let us through. Another try would only find it again.
 */
export function isLastingFailure(error: unknown): boolean {
  const innermost = innermostOf(error);
  if (innermost === undefined) return false;
  const { code = '' } = innermost as NodeJS.ErrnoException;
  return /CERT|SIGNATURE|^ERR_(TLS|SSL)_/.test(code) || /^4(?!08|29)/.test(proxyStatus(innermost) ?? '');
}

function innermostOf(error: unknown): Error | undefined {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  if (innermost instanceof AggregateError && innermost.errors[0] instanceof Error) innermost = innermost.errors[0];
  return innermost instanceof Error ? innermost : undefined;
}

/** What a proxy answered that was to make a tunnel. */
function proxyStatus({ message }: Error): string | undefined {
  return /tunnel/i.test(message) ? /(?:HTTP\/1\.\d |response \()(\d{3})\b/.exec(message)?.[1] : undefined;
}

/** As `networkFailure`; what has no known code is told in its own words. */
export function networkReason(error: unknown): string {
  return networkFailure(error) ?? printable(error instanceof Error ? error.message || error.name : String(error), 300);
}
