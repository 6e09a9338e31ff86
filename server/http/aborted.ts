/** Error codes of Node, body-parser, send and oidc-provider for a client that left early; HPE_… codes come from Node's HTTP parser. */
const CODES = [
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_HTTP_REQUEST_TIMEOUT',
];

/** Whether an error only means that the client hung up, which it may: nothing went wrong here. */
export function isAborted(error: unknown): boolean {
  const { code, type } = error as { code?: unknown; type?: unknown };
  return type === 'request.aborted' || (typeof code === 'string' && (CODES.includes(code) || code.startsWith('HPE_')));
}
