import type { NetworkFailure } from '../problem/details.ts';
import { printable } from '../text/printable.ts';

/** What some error codes mean, in a sentence for a person. Others are shown as they are. */
const meanings: Record<string, string> = {
  ECONNREFUSED: 'Nothing listens there: the connection was refused.',
  ECONNRESET: 'The connection was cut.',
  EPIPE: 'The connection was cut.',
  UND_ERR_SOCKET: 'The connection was cut.',
  ENOTFOUND: 'The host name is not known.',
  EAI_AGAIN: 'The host name could not be looked up.',
  ETIMEDOUT: 'It did not answer in time.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Its TLS certificate is self-signed.',
  CERT_HAS_EXPIRED: 'Its TLS certificate has expired.',
  CERT_NOT_YET_VALID: 'Its TLS certificate is not valid yet.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Its TLS certificate is for another host.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'It does not speak TLS on this port.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'It does not speak TLS on this port.',
};

/** The codes for a certificate whose authority this machine does not trust. */
const unknownAuthority = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
]);

/** The codes for other faults that OpenSSL finds in certificates (Node's manual, "X509 certificate error codes"). */
const unfitCertificate =
  /CERT|SIGNATURE|CRL|^(INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY)$/;

/**
 * Why a request got no answer, in a sentence for a person. The innermost error gives the reason: the outer ones only report that
 * the request failed.
 *
 * @returns undefined when the network worked, but the answer was wrong
 */
export function whyUnreachable(error: unknown): string | undefined {
  const innermost = innermostOf(error);
  if (innermost === undefined) return undefined;
  const { code } = innermost as NodeJS.ErrnoException;
  // First: the AWS SDK calls a cut connection a TimeoutError too.
  const known = code === undefined ? undefined : meanings[code];
  if (known !== undefined) return known;
  if (unknownAuthority.has(code ?? '')) {
    return 'Its TLS certificate is signed by an authority that this machine does not know.';
  }
  // In our words: of Node's two HTTP clients, one only reports that the request was aborted, the other prints the proxy's address.
  if (isTunnel(innermost)) {
    const status = proxyStatus(innermost);
    return `The proxy did not let it through${status ? `: it answered with status ${status}` : ''}.`;
  }
  if (innermost.name === 'TimeoutError' || innermost.name === 'AbortError') return 'It did not answer in time.';
  if (code === undefined || /^(ERR_(?!TLS|SSL)|HPE_)/.test(code)) return undefined;
  if (!/^(E[A-Z0-9]+|ERR_(TLS|SSL)_\w+|UND_ERR_\w+)$/.test(code) && !unfitCertificate.test(code)) return undefined;
  return printable(innermost.message.includes(code) ? innermost.message : `${innermost.message} (${code})`, 300);
}

/** How the network failed for a request. */
export function networkFailure(error: unknown): NetworkFailure {
  const innermost = innermostOf(error);
  if (innermost !== undefined && isTunnel(innermost)) return 'proxy';
  const { code = '' } = (innermost ?? {}) as NodeJS.ErrnoException;
  // For most failed TLS handshakes Node reports EPROTO: the other side does not speak TLS, or no version that both accept.
  return isTls(code) || code === 'EPROTO' ? 'tls' : 'unreachable';
}

/**
 * Whether a request failed for a reason that does not pass by itself: an unfit certificate, or a proxy that refuses us. Another try
 * would fail the same way.
 */
export function isLastingFailure(error: unknown): boolean {
  const innermost = innermostOf(error);
  if (innermost === undefined) return false;
  const { code = '' } = innermost as NodeJS.ErrnoException;
  return isTls(code) || /^4(?!08|29)/.test(proxyStatus(innermost) ?? '');
}

/** The variable that names further authorities for requests to AWS. */
export function caVariable(env: NodeJS.ProcessEnv): 'AWS_CA_BUNDLE' | 'NODE_EXTRA_CA_CERTS' {
  return env.AWS_CA_BUNDLE ? 'AWS_CA_BUNDLE' : 'NODE_EXTRA_CA_CERTS';
}

/** What to do after a change of environment: the agent keeps the environment in which it was started. */
export const restart = 'then `vouch agent stop` and `vouch login`';

/**
 * What to do about a request that got no answer, if the reason shows it.
 *
 * @param trust the variable that names further authorities for this request
 * @param again what to do after a change of that variable, which a program reads only when it starts
 * @returns undefined when a person can only check the network
 */
export function networkFix(
  error: unknown,
  trust = 'NODE_EXTRA_CA_CERTS',
  again = 'then try again',
): string | undefined {
  const innermost = innermostOf(error);
  const { code = '' } = (innermost ?? {}) as NodeJS.ErrnoException;
  if (unknownAuthority.has(code) || code === 'DEPTH_ZERO_SELF_SIGNED_CERT') {
    return (
      `If it is your company's or your own, trust it: \`export ${trust}=/path/to/ca.pem\`, ${again}. ` +
      'If not, somebody may be in between: ask your administrator.'
    );
  }
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return "Check this machine's clock; if it is right, tell the server's administrator to renew the certificate.";
    case 'CERT_NOT_YET_VALID':
      return "Check this machine's clock; if it is right, tell the server's administrator.";
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'Check the URL: its host must be one that the certificate is for.';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'Check the port in the URL.';
  }
  if (isTls(code)) return "Tell the server's administrator: its certificate, or how it speaks TLS, cannot be used.";
  const status = innermost && proxyStatus(innermost);
  if (status === '407') {
    return `The proxy wants a password: put it into HTTPS_PROXY, as http://name:password@host:port, ${again}.`;
  }
  return status ? `Check HTTPS_PROXY, or name the host in NO_PROXY if it needs no proxy, ${again}.` : undefined;
}

function isTls(code: string): boolean {
  return unknownAuthority.has(code) || unfitCertificate.test(code) || /^ERR_(TLS|SSL)_/.test(code);
}

function innermostOf(error: unknown): Error | undefined {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  if (innermost instanceof AggregateError && innermost.errors[0] instanceof Error) innermost = innermost.errors[0];
  return innermost instanceof Error ? innermost : undefined;
}

/** The status of a proxy that refused to open a tunnel. */
function proxyStatus(error: Error): string | undefined {
  return isTunnel(error) ? /(?:HTTP\/1\.\d |response \()(\d{3})\b/.exec(error.message)?.[1] : undefined;
}

function isTunnel({ message }: Error): boolean {
  return /tunnel/i.test(message);
}

/** As `whyUnreachable`; if that has no reason, the error's own message. */
export function networkReason(error: unknown): string {
  return whyUnreachable(error) ?? printable(error instanceof Error ? error.message || error.name : String(error), 300);
}
