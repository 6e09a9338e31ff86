import { untilAborted } from '../network/until-aborted.ts';
import { type CallbackListener, listenForCallback } from './callback/listener.ts';
import { explainServerError } from './explain-server-error.ts';
import { discover, fetchKeysAhead } from './oidc-client.ts';
import { pasteAllowed } from './paste/allowed.ts';
import { pushRequest } from './pushed-request.ts';
import { redeem, type SignedIn } from './redeem.ts';

/** The page that the person signs in on. */
export interface SignInPage {
  url: string;
  /**
   * The words that the page of this login shows. Nobody can choose the words, and they are of no use to a reader of the address.
   */
  words: string;
}

export interface SignInOptions {
  /** The server's issuer URL. */
  server: string;
  /**
   * Called when the page can be opened, with the port of 127.0.0.1 that the browser comes back to, and whether the server also allows a
   * sign-in by paste.
   */
  onPage: (page: SignInPage, port: number, mayPaste: boolean) => void;
  /** The port of 127.0.0.1 for the callback; by default any free one. */
  port?: number | undefined;
  /** Ends the wait (Ctrl-C, the time-out), and its reason is thrown. */
  signal: AbortSignal;
}

/**
 * Signs in with the browser: PAR (RFC 9126) with PKCE, DPoP, `state` and `nonce`; the loopback callback (RFC 8252); the code's
 * redemption, and the check of the ID token. The result is in memory alone.
 *
 * @throws Problem when the server cannot be reached or refuses, or the person cancels; `callback-port`; `signal.reason`
 */
export async function signIn(options: SignInOptions): Promise<SignedIn> {
  const listener = await listenForCallback(options.port);
  try {
    // The person does not have to wait, even for something that cannot be aborted.
    const signedIn = await untilAborted(ceremony(options, listener), options.signal);
    listener.release();
    return signedIn;
  } catch (error) {
    listener.close();
    throw error;
  }
}

async function ceremony({ server, signal, onPage }: SignInOptions, listener: CallbackListener): Promise<SignedIn> {
  const config = await discover(server, signal);
  const request = await pushRequest(config, listener.redirectUri).catch((error: unknown) => {
    throw explainServerError(server, error);
  });
  const coming = listener.callback({ state: request.state, issuer: server });
  signal.throwIfAborted();
  onPage({ url: request.url, words: request.words }, listener.port, pasteAllowed(config).allowed);
  void fetchKeysAhead(config).catch(() => {});
  const callback = await coming;
  try {
    const signedIn = await redeem(config, request, callback.url);
    await callback.answer(`${server}/signed-in`);
    return signedIn;
  } catch (error) {
    await callback.answer(`${server}/signed-in?failed`);
    throw explainServerError(server, error);
  }
}
