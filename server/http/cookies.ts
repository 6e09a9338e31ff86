import type { Request } from 'express';

/** The value of a cookie, or undefined where there is none or an empty one. RFC 6265, section 4.2.1; ours are base64url, so nothing needs decoding. */
export function readCookie(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = pair.split('=', 2);
    if (key?.trim() === name) return value?.trim() || undefined;
  }
  return undefined;
}

/** Takes cookies out of a request's header, so that what comes after never sees them. */
export function dropCookies(request: Request, names: readonly string[]): void {
  const header = request.headers.cookie;
  if (header === undefined) return;
  const kept = header.split(';').filter((pair) => !names.includes(pair.split('=', 1)[0]?.trim() ?? ''));
  request.headers.cookie = kept.join(';');
}
