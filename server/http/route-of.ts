import type { Request, Response } from 'express';

/**
 * The pattern of the route that answered a request, such as `/login/:uid`. Never the path: that may hold a ticket, and a stranger may ask
 * for any number of them.
 */
export function routeOf(request: Request, response: Response): string {
  // oidc-provider's routes, which Express does not know.
  if (typeof response.locals.route === 'string') return response.locals.route;
  const pattern: unknown = [request.route?.path].flat().at(-1);
  if (typeof pattern === 'string') return pattern;
  return request.originalUrl.startsWith('/assets/') ? '/assets/:name' : 'none';
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** The method of a request, if it is one that a server answers. */
export function methodOf({ method }: Request): string {
  return METHODS.includes(method) ? method : 'other';
}
