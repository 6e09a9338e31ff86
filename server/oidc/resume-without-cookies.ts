import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';
import { Finishing } from './finishing.ts';
import { askProvider } from './own-request.ts';
import type { ServingProvider } from './provider.ts';

/**
 * Keeps oidc-provider from reading and setting cookies. It would keep the state of a sign-in in cookies, and cookies can be planted: by
 * a sibling host (`Domain=`), and at `http://localhost` by any other port, which can read them too. The one value that the library
 * needs, the name of the interaction to resume, comes only from `resumeInteraction`.
 */
export function withoutCookies(provider: Provider): void {
  const resume = provider.cookieName('resume');
  // Koa's way to change its contexts (koajs.com, app.context).
  Object.defineProperty(provider.context, 'cookies', {
    get(this: { req: IncomingMessage }) {
      const uid = Finishing.of(this.req)?.uid;
      return { get: (name: string) => (name === resume ? uid : undefined), set: () => {} };
    },
  });
}

/**
 * Lets oidc-provider finish a sign-in, inside this process. The caller gets the answer that a browser would get; no browser can request
 * it.
 *
 * @returns where the browser would be redirected to, or undefined if the provider answers with something else
 */
export function resumeInteraction(serving: ServingProvider, finishing: Finishing): Promise<string | undefined> {
  const path = serving.provider.pathFor('resume', { uid: finishing.uid });
  return askProvider(serving, path, (request) => finishing.within(request));
}
