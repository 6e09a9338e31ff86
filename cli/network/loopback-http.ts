/** Whether nobody on the way can read what is sent there: by HTTPS, or by plain HTTP to this very machine. */
export function isConfidential(url: URL): boolean {
  return url.protocol === 'https:' || isLoopbackHttp(url);
}

/** Whether a URL is one of plain HTTP on this very machine, where nothing crosses a network. */
export function isLoopbackHttp(url: URL): boolean {
  return url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '127.0.0.1');
}
