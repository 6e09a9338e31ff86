import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { expect } from 'vitest';
import { freePort } from '../../support/free-port.ts';

/** An identity server that can be set to answer wrongly. It is written against the RFCs, and shares no code with ours. */
export interface FakeIssuer {
  url: string;
  /** The requests to it, such as `GET /jwks`, in order. */
  asked: string[];
  /** The pushed authorization requests (RFC 9126), as they came. */
  pushed: URLSearchParams[];
  /** The token requests, with their headers. */
  redeemed: { body: URLSearchParams; dpop: string | undefined }[];
  /** Changes the right answer into a wrong one. */
  wrong: {
    discovery?: Record<string, unknown>;
    pushed?: Record<string, unknown>;
    idToken?: JWTPayload;
    foreignKey?: boolean;
    token?: Record<string, unknown>;
    tokenStatus?: number;
    session?: Record<string, unknown>;
  };
  /** Answers in the place of the right one, by request, such as `GET /jwks`. */
  instead: Record<string, (response: ServerResponse) => void>;
  /** The request that gets status 500 the next time. */
  failOnce?: string | undefined;
  /** The time of the Date header; by default now. */
  date?: Date;
  /** Called before the token endpoint answers. */
  beforeToken: () => Promise<void>;
  close: () => Promise<void>;
}

/** Plays the browser, once the server has the request. */
export async function comeBack(issuer: FakeIssuer): Promise<void> {
  await expect.poll(() => issuer.pushed.length, { timeout: 30_000 }).toBe(1);
  const request = issuer.pushed.at(-1);
  const query = new URLSearchParams({ code: 'c', state: request?.get('state') ?? '', iss: issuer.url });
  await fetch(`${request?.get('redirect_uri')}?${query}`, { redirect: 'manual' });
}

export async function startFakeIssuer(): Promise<FakeIssuer> {
  const url = `http://localhost:${await freePort()}`;
  const keys = await generateKeyPair('ES256');
  const foreign = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
  const issuer: FakeIssuer = {
    url,
    asked: [],
    pushed: [],
    redeemed: [],
    wrong: {},
    instead: {},
    beforeToken: async () => {},
    close: async () => {},
  };

  const idToken = () =>
    new SignJWT({ nonce: issuer.pushed.at(-1)?.get('nonce') ?? '', ...issuer.wrong.idToken })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(issuer.wrong.idToken?.iss ?? url)
      .setAudience(issuer.wrong.idToken?.aud ?? 'vouch-cli')
      .setSubject('alice@example.com')
      .setIssuedAt()
      .setExpirationTime(issuer.wrong.idToken?.exp ?? '5m')
      .sign(issuer.wrong.foreignKey ? foreign.privateKey : keys.privateKey);

  const answers: Record<string, (request: IncomingMessage, body: string) => Promise<unknown>> = {
    'GET /.well-known/openid-configuration': async () => ({
      issuer: url,
      authorization_endpoint: `${url}/auth`,
      token_endpoint: `${url}/token`,
      jwks_uri: `${url}/jwks`,
      pushed_authorization_request_endpoint: `${url}/request`,
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ['ES256'],
      ...issuer.wrong.discovery,
    }),
    'GET /jwks': async () => ({ keys: [jwk] }),
    'POST /request': async (_request, body) => {
      issuer.pushed.push(new URLSearchParams(body));
      return {
        request_uri: 'urn:ietf:params:oauth:request_uri:x',
        expires_in: 60,
        words: 'amber otter canyon',
        ...issuer.wrong.pushed,
      };
    },
    'POST /token': async (request, body) => {
      await issuer.beforeToken();
      issuer.redeemed.push({ body: new URLSearchParams(body), dpop: String(request.headers.dpop) });
      return {
        access_token: 'an-access-token',
        token_type: 'DPoP',
        expires_in: 60,
        id_token: await idToken(),
        ...issuer.wrong.token,
      };
    },
    'GET /api/session': async () => ({
      email: 'alice@example.com',
      key: { name: 'Work key', model: null },
      expiresAt: '2030-01-01T00:00:00.000Z',
      ...issuer.wrong.session,
    }),
    // An enrolment that never ends.
    'POST /enroll/start': async () => ({
      url: `${url}/enroll/x`,
      poll: 'x',
      email: 'alice@example.com',
      expiresAt: '2030-01-01T00:00:00.000Z',
    }),
    'POST /enroll/status': async () => ({ state: 'waiting' }),
    // It gives none. With a status alone it would be asked again, like a server that is down.
    'POST /api/aws/token': async () => ({ type: 'urn:vouch:problem:role-refused', title: 'No role is yours.' }),
  };

  const server = createServer(async (request, response) => {
    const what = `${request.method} ${request.url}`;
    issuer.asked.push(what);
    if (what === issuer.failOnce) {
      issuer.failOnce = undefined;
      response.writeHead(500).end();
      return;
    }
    if (issuer.instead[what]) {
      request.resume();
      issuer.instead[what](response);
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    const answer = answers[what];
    const statuses: Record<string, number> = {
      '/request': 201,
      '/token': issuer.wrong.tokenStatus ?? 200,
      '/api/aws/token': 403,
    };
    const content = JSON.stringify((await answer?.(request, body)) ?? {});
    response.writeHead(answer === undefined ? 404 : (statuses[request.url ?? ''] ?? 200), {
      'content-type': 'application/json',
      ...(issuer.date ? { date: issuer.date.toUTCString() } : {}),
    });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(Number(new URL(url).port), '127.0.0.1', resolve));
  issuer.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return issuer;
}
