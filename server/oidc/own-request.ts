import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { ServingProvider } from './provider.ts';

/** The connection of requests that come from no client: nothing is read from it or written to it. */
const nowhere = new Socket();

/**
 * Sends oidc-provider a GET request inside this process. No client can send one like it.
 *
 * @param mark called with the request first, by which the provider's parts know what it is for
 * @returns where a browser would be redirected to, or undefined if the provider answers with something else
 */
export async function askProvider(
  { provider, callback }: ServingProvider,
  path: string,
  mark: (request: IncomingMessage) => void,
): Promise<string | undefined> {
  const { host, protocol } = new URL(provider.issuer);
  const request = new IncomingMessage(nowhere);
  request.method = 'GET';
  request.url = path;
  request.headers = { host, 'x-forwarded-proto': protocol.slice(0, -1) };
  mark(request);
  const response = new ServerResponse(request);
  await callback(request, response);
  const location = response.getHeader('location');
  return typeof location === 'string' ? location : undefined;
}
