/** What Node, body-parser, send and oidc-provider say when whoever asked has gone before the end; HPE_… is of Node's HTTP parser. */
const CODES = [
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_HTTP_REQUEST_TIMEOUT',
];

/** Whether an error says no more than that the client has hung up: that is theirs to do, and nothing went wrong here. */
export function isAborted(error: unknown): boolean {
  const { code, type } = error as { code?: unknown; type?: unknown };
  return type === 'request.aborted' || (typeof code === 'string' && (CODES.includes(code) || code.startsWith('HPE_')));
}
