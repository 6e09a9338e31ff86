import type { IncomingMessage } from 'node:http';
import Provider from 'oidc-provider';
import { CLIENT_ID } from '../config/audiences.ts';
import { askProvider } from './own-request.ts';
import type { ServingProvider } from './provider.ts';

/** Sign-ins by the requests with which the server opens them. Nobody outside can make such a request. */
const opening = new WeakMap<IncomingMessage, OpenedAhead>();

/**
 * A sign-in whose page the server opens as soon as its request is pushed, under a name that its short address leads to. oidc-provider lets a
 * pushed request be opened for a minute, which is too short for a person who types an address; an opened page is there for ten.
 */
export class OpenedAhead {
  readonly name: string;
  /** Whether the page is there, under this name. */
  stored = false;

  private constructor(name: string) {
    this.name = name;
  }

  /** The one that oidc-provider is opening now, if the call comes from there. */
  static now(): OpenedAhead | undefined {
    const request = Provider.ctx?.req;
    return request && opening.get(request);
  }

  /**
   * Opens a pushed request as a browser would.
   *
   * @param name the interaction's name, in place of the library's
   * @returns false if the provider answers with something else than a page to sign in on
   */
  static async open(serving: ServingProvider, requestUri: string, name: string): Promise<boolean> {
    const ahead = new OpenedAhead(name);
    const query = new URLSearchParams({ client_id: CLIENT_ID, request_uri: requestUri });
    const path = `${serving.provider.pathFor('authorization')}?${query}`;
    await askProvider(serving, path, (request) => void opening.set(request, ahead));
    return ahead.stored;
  }
}
