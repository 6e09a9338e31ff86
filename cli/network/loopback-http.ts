/** Whether no one on the network can read what is sent to a URL: it is HTTPS, or plain HTTP to this machine. */
export function isConfidential(url: URL): boolean {
  return url.protocol === 'https:' || isLoopbackHttp(url);
}

/** Whether a URL is plain HTTP to this machine, which crosses no network. */
export function isLoopbackHttp(url: URL): boolean {
  return url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '127.0.0.1');
}
