import { exportJWK } from 'jose';
import * as client from 'openid-client';
import type { NewSession } from '../agent/protocol.ts';
import { untilAborted } from '../network/until-aborted.ts';
import { Problem } from '../problem/problem.ts';
import { UnfitAnswer } from '../server-api/ask-server.ts';
import { printable } from '../text/printable.ts';
import { type CallbackListener, listenForCallback } from './callback/listener.ts';
import { readKeyName } from './key-name.ts';
import { machineName } from './machine-name.ts';
import { discover, explainServerError, fetchKeysAhead } from './oidc-client.ts';
import { readWords } from './words.ts';

/** More than any page's address has, in characters. */
const LONGEST_ADDRESS = 2000;

/** The page that the person signs in on. */
export interface SignInPage {
  url: string;
  /** What the page shows if it is the one of this login. Nobody can choose them, and who reads the address has no use for them. */
  words: string;
}

export interface SignInOptions {
  /** The server's issuer URL. */
  server: string;
  /** Called when the page can be opened, with the port of 127.0.0.1 that the browser comes back to. */
  onPage: (page: SignInPage, port: number) => void;
  /** That port, unless any free one will do. */
  port?: number | undefined;
  /** Ends the wait: Ctrl-C, or the time-out. Its reason is what is thrown. */
  signal: AbortSignal;
}

/**
 * Signs in with the browser: PAR (RFC 9126) with PKCE, DPoP, `state` and `nonce`; the loopback callback (RFC 8252); the
 * code's redemption and the check of the ID token. What comes back is in memory alone.
 *
 * @throws Problem when the server cannot be reached or refuses, or the person cancels; `callback-port`; `signal.reason` when
 *   aborted
 */
export async function signIn(options: SignInOptions): Promise<NewSession> {
  const listener = await listenForCallback(options.port);
  try {
    // Whatever is being waited for, and whether or not it can be aborted: the person is not kept.
    const session = await untilAborted(ceremony(options, listener), options.signal);
    listener.release();
    return session;
  } catch (error) {
    listener.close();
    throw error;
  }
}

async function ceremony({ server, signal, onPage }: SignInOptions, listener: CallbackListener): Promise<NewSession> {
  const config = await discover(server, signal);
  const request = await pushRequest(config, listener.redirectUri).catch((error: unknown) => {
    throw explainServerError(server, error);
  });
  const coming = listener.callback({ state: request.state, issuer: server });
  signal.throwIfAborted();
  onPage({ url: request.url, words: request.words }, listener.port);
  void fetchKeysAhead(config).catch(() => {});
  const callback = await coming;
  try {
    const session = await redeem(config, request, callback.url);
    await callback.answer(`${server}/signed-in`);
    return session;
  } catch (error) {
    await callback.answer(`${server}/signed-in?failed`);
    throw explainServerError(server, error);
  }
}

type PushedRequest = Awaited<ReturnType<typeof pushRequest>>;

async function pushRequest(config: client.Configuration, redirectUri: string) {
  // Extractable, because the agent is another process; it travels over the agent's socket alone.
  const keys = await client.randomDPoPKeyPair('ES256', { extractable: true });
  const dpop = client.getDPoPHandle(config, keys);
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const words = wordsOfPushedRequest(config);
  const url = await client.buildAuthorizationUrlWithPAR(
    config,
    {
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid email',
      resource: `${config.serverMetadata().issuer}/api`,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      // Shown on the page.
      machine: machineName(),
    },
    { DPoP: dpop },
  );
  // It is printed, and goes into an argument list.
  if (url.href.length > LONGEST_ADDRESS) throw new UnfitAnswer('Its address for the sign-in is far too long.');
  return { url: url.href, words: await words(), keys, dpop, verifier, state, nonce };
}

/**
 * Looks out for the words in the answer to the pushed request (docs/http-api.md), which the library does not give out.
 *
 * @returns tells them, once the request has been pushed
 */
function wordsOfPushedRequest(config: client.Configuration): () => Promise<string> {
  const endpoint = config.serverMetadata().pushed_authorization_request_endpoint;
  const request: client.CustomFetch =
    config[client.customFetch] ?? ((url, options) => fetch(url, options as RequestInit));
  let answer: Response | undefined;
  config[client.customFetch] = async (url, options) => {
    const response = await request(url, options);
    // The last one counts: the library may have to push twice (RFC 9449, section 8).
    if (url === endpoint) answer = response.clone();
    return response;
  };
  return async () => {
    config[client.customFetch] = request;
    const words = readWords(Object(await answer?.json()).words);
    if (words !== undefined) return words;
    throw new UnfitAnswer('It did not say which words its page shows.');
  };
}

async function redeem(config: client.Configuration, request: PushedRequest, callback: URL): Promise<NewSession> {
  const { issuer } = config.serverMetadata();
  const tokens = await client.authorizationCodeGrant(
    config,
    callback,
    {
      expectedState: request.state,
      expectedNonce: request.nonce,
      pkceCodeVerifier: request.verifier,
      idTokenExpected: true,
    },
    { resource: `${issuer}/api` },
    { DPoP: request.dpop },
  );
  const subject = tokens.claims()?.sub;
  // RFC 9449, section 5: an access token that is not bound to our key is not what was asked for.
  if (tokens.token_type !== 'dpop' || subject === undefined)
    throw unexpected('The access token is not bound to a key.');
  const session = await fetchSession(config, tokens.access_token, request.dpop);
  if (session.email !== subject) throw unexpected('The ID token names another person than the session.');
  return {
    issuer,
    accessToken: tokens.access_token,
    dpopKey: await exportJWK(request.keys.privateKey),
    ...session,
  };
}

/** Who signed in, with which key, until when, as the server has it: also the first use of token and key together. */
async function fetchSession(config: client.Configuration, accessToken: string, dpop: client.DPoPHandle) {
  const url = new URL('/api/session', config.serverMetadata().issuer);
  const response = await client.fetchProtectedResource(config, accessToken, url, 'GET', null, undefined, {
    DPoP: dpop,
  });
  const { status } = response;
  if (status !== 200) throw new UnfitAnswer(`It answered with status ${status}.`, status);
  const { email, key, expiresAt } = Object(await response.json()) as Record<string, unknown>;
  const name = readKeyName(key);
  const isTime = typeof expiresAt === 'string' && !Number.isNaN(Date.parse(expiresAt));
  if (typeof email !== 'string' || name === undefined || !isTime) {
    throw unexpected('Its description of the session is not complete.');
  }
  return { email: printable(email), key: name, expiresAt };
}

function unexpected(why: string): Problem {
  return new Problem({
    kind: 'not-a-vouch-server',
    what: 'The server’s answer is not what a Vouch server gives.',
    why,
    fix: 'Tell your administrator.',
    category: 'refused',
  });
}
