import * as client from 'openid-client';
import { UnfitAnswer } from '../server-api/ask-server.ts';
import { machineName } from './machine-name.ts';
import { readWords } from './read-words.ts';

/** More than the address of any page, in characters. */
const longestAddress = 2000;

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
  // We print it, and pass it on as an argument.
  if (url.href.length > longestAddress) throw new UnfitAnswer('Its address for the sign-in is far too long.');
  return { url: url.href, words: await words(), keys, dpop, verifier, state, nonce };
}

/**
 * Reads the words in the answer to the pushed request (docs/http-api.md), which the library does not return.
 *
 * @returns a function that returns the words after the request was pushed
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
    throw new UnfitAnswer('Its answer does not have the words that its page shows.');
  };
}
