import { exportJWK } from 'jose';
import * as client from 'openid-client';
import type { NewSession } from '../agent/protocol/messages.ts';
import { Problem } from '../problem/problem.ts';
import { UnfitAnswer } from '../server-api/ask-server.ts';
import { printable } from '../text/printable.ts';
import { readKeyName } from './key-name.ts';
import type { PushedRequest } from './pushed-request.ts';

/** A finished sign-in. */
export interface SignedIn {
  session: NewSession;
  /** Whether the server advises the person to add a spare key. It does so at most once a week. */
  suggestSpare: boolean;
}

/**
 * Redeems the code that the browser brought back, checks the ID token, and asks the server whose session it is.
 *
 * @param callback the address with which the browser came back
 * @throws Problem `not-a-vouch-server`; UnfitAnswer; as openid-client
 */
export async function redeem(config: client.Configuration, request: PushedRequest, callback: URL): Promise<SignedIn> {
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
  // RFC 9449, section 5: we asked for an access token that is bound to our key.
  if (tokens.token_type !== 'dpop' || subject === undefined)
    throw unexpected('The access token is not bound to a key.');
  const { session, suggestSpare } = await fetchSession(config, tokens.access_token, request.dpop);
  if (session.email !== subject) throw unexpected('The ID token names another person than the session.');
  const dpopKey = await exportJWK(request.keys.privateKey);
  return { session: { issuer, accessToken: tokens.access_token, dpopKey, ...session }, suggestSpare };
}

/** The session's person, key and end, as the server has them. This request is also the first use of token and key together. */
async function fetchSession(config: client.Configuration, accessToken: string, dpop: client.DPoPHandle) {
  const url = new URL('/api/session', config.serverMetadata().issuer);
  const response = await client.fetchProtectedResource(config, accessToken, url, 'GET', null, undefined, {
    DPoP: dpop,
  });
  const { status } = response;
  if (status !== 200) throw new UnfitAnswer(`It answered with status ${status}.`, status);
  const { email, key, expiresAt, suggestSpare } = Object(await response.json()) as Record<string, unknown>;
  const name = readKeyName(key);
  const isTime = typeof expiresAt === 'string' && !Number.isNaN(Date.parse(expiresAt));
  if (typeof email !== 'string' || name === undefined || !isTime) {
    throw unexpected('Its description of the session is not complete.');
  }
  return { session: { email: printable(email), key: name, expiresAt }, suggestSpare: suggestSpare === true };
}

function unexpected(why: string): Problem {
  const what = 'The server’s answer is not what a Vouch server gives.';
  return new Problem({ kind: 'not-a-vouch-server', category: 'refused', what, why, fix: 'Tell your administrator.' });
}
