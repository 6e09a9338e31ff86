import type { CookieOptions, Request, Response } from 'express';

/** With this prefix a browser accepts the cookie only from this very host, over HTTPS or from localhost (RFC 6265bis, section 4.1.3.2). */
const NAME = '__Host-vouch-account';

/** Without an end of its own: the server decides when a session is over. */
const ATTRIBUTES: CookieOptions = { path: '/', secure: true, httpOnly: true, sameSite: 'strict' };

/** Gives the browser its half of a web session. */
export function setCookie(response: Response, secret: string): void {
  response.cookie(NAME, secret, ATTRIBUTES);
}

/** Takes the browser's half back. */
export function clearCookie(response: Response): void {
  response.clearCookie(NAME, ATTRIBUTES);
}

/** The cookie's secret; undefined without one. If the cookie comes twice, neither counts: somebody may have planted one. */
export function cookieOf(request: Request): string | undefined {
  const values = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${NAME}=`))
    .map((pair) => pair.slice(NAME.length + 1));
  return values.length === 1 ? values[0] : undefined;
}
