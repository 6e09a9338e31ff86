import * as client from 'openid-client';
import { UnfitAnswer } from '../server-api/ask-server.ts';
import { machineName } from './machine-name.ts';
import { readWords } from './read-words.ts';

/** More than the address of any page, in characters. */
const longestAddress = 2000;

/** A short address is there to be read out and typed: a long one is none. */
const longestShortAddress = 300;

export type PushedRequest = Awaited<ReturnType<typeof pushRequest>>;

/**
 * Pushes the authorization request (RFC 9126), with PKCE, DPoP, `state` and `nonce`.
 *
 * @param redirectUri the address to which the browser comes back
 * @returns the page's address and words, and what is needed to check and redeem the answer
 * @throws UnfitAnswer; as openid-client
 */
export async function pushRequest(config: client.Configuration, redirectUri: string) {
  // Extractable, because the agent is another process. The key goes over the agent's socket alone.
  const keys = await client.randomDPoPKeyPair('ES256', { extractable: true });
  const dpop = client.getDPoPHandle(config, keys);
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const answer = answerToPushedRequest(config);
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
  // We print it, and pass it on as an argument.
  if (url.href.length > longestAddress) throw new UnfitAnswer('Its address for the sign-in is far too long.');
  const said = await answer();
  const words = readWords(said.words);
  if (words === undefined) throw new UnfitAnswer('Its answer does not have the words that its page shows.');
  // An older server gives no short one.
  const page = said.address === undefined ? url.href : shortAddress(said.address, config.serverMetadata().issuer);
  return { url: page, words, keys, dpop, verifier, state, nonce };
}

/** @throws UnfitAnswer for an address that is not a page of the server's own */
function shortAddress(value: unknown, issuer: string): string {
  const url = URL.parse(String(value));
  const isOwn = url?.origin === issuer && !url.username && !url.password;
  if (isOwn && url.href.length <= longestShortAddress) return url.href;
  throw new UnfitAnswer('Its short address for the sign-in is not one of its own.');
}

/**
 * Reads what the answer to the pushed request has beyond RFC 9126 (docs/http-api.md), which the library does not return.
 *
 * @returns a function that returns the answer after the request was pushed
 */
function answerToPushedRequest(config: client.Configuration): () => Promise<Record<string, unknown>> {
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
    return Object(await answer?.json());
  };
}
