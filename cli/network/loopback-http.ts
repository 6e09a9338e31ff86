/** Whether an address is one of plain HTTP on this very machine, where nothing crosses a network. */
export function isLoopbackHttp(url: URL): boolean {
  return url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '127.0.0.1');
}
