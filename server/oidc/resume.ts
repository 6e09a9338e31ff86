import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type Provider from 'oidc-provider';

/** The interactions that are being resumed, by the request that does it. Nobody outside can make one of these. */
const resuming = new WeakMap<IncomingMessage, string>();

/**
 * Takes every cookie from oidc-provider: it reads none and sets none. It would keep the thread of a sign-in in them, and a
 * cookie can be planted: by a sibling host (`Domain=`), and at `http://localhost` by any other port, where it can be read too.
 * The one name that it cannot do without, that of the interaction to resume, is given by `resumeInteraction` alone.
 */
export function withoutCookies(provider: Provider): void {
  const resume = provider.cookieName('resume');
  // Koa's own way to change what a context is (koajs.com, app.context).
  Object.defineProperty(provider.context, 'cookies', {
    get(this: { req: IncomingMessage }) {
      const uid = resuming.get(this.req);
      return { get: (name: string) => (name === resume ? uid : undefined), set: () => {} };
    },
  });
}

/**
 * Has oidc-provider go on with an interaction, inside of this process. What it would tell a browser is given back, and no
 * browser can ask for it.
 *
 * @param uid an interaction that has a result
 * @returns where the browser is to go, or undefined where the provider has another answer than a redirection
 */
export async function resumeInteraction(provider: Provider, uid: string): Promise<string | undefined> {
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  request.url = provider.pathFor('resume', { uid });
  request.headers = { host: new URL(provider.issuer).host };
  resuming.set(request, uid);
  const response = new ServerResponse(request);
  await provider.callback()(request, response);
  const location = response.getHeader('location');
  return typeof location === 'string' ? location : undefined;
}
