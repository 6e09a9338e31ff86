import { createHash, randomBytes } from 'node:crypto';
import type { AuthenticationResponseJSON, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import { REDIRECT_URI } from '../../server/cli-client.ts';
import { DpopKey } from './dpop-key.ts';
import { type HttpClient, jsonOf, locationOf } from './http-client.ts';

/** A finished login. */
export interface LoggedIn {
  key: DpopKey;
  token: string;
}

/** Answers the page's question for a touch. */
export type Touch = (options: PublicKeyCredentialRequestOptionsJSON) => AuthenticationResponseJSON;

const CLIENT_ID = 'vouch-cli';
const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';

/** A login's authorization request, as `vouch login` makes it. */
class LoginRequest {
  readonly #http: HttpClient;
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly #verifier = randomBytes(32).toString('base64url');
  readonly key = new DpopKey();

  constructor(http: HttpClient, origin: string, headers: Record<string, string>) {
    this.#http = http;
    this.#origin = origin;
    this.#headers = headers;
  }

  /** Pushes it (RFC 9126, section 2.1). @returns the path that the browser opens */
  async push(): Promise<string> {
    const body = new URLSearchParams({
      client_id: CLIENT_ID,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid email',
      state: randomBytes(16).toString('base64url'),
      nonce: randomBytes(16).toString('base64url'),
      code_challenge: createHash('sha256').update(this.#verifier).digest('base64url'),
      code_challenge_method: 'S256',
      machine: 'alices-laptop',
    });
    const answer = await this.#http.send('POST', '/request', this.#headers, body);
    const { request_uri, address } = jsonOf<{ request_uri: string; address?: string }>(answer, 201);
    // oidc-provider alone gives no short one.
    if (address !== undefined) return new URL(address).pathname;
    return `/auth?${new URLSearchParams({ client_id: CLIENT_ID, request_uri })}`;
  }

  /** Redeems the code in the callback's URL (RFC 6749, section 4.1.3). */
  async redeem(callback: string): Promise<LoggedIn> {
    const code = new URL(callback).searchParams.get('code');
    if (code === null) throw new Error(`there is no code in ${callback}`);
    const answer = await this.#http.send(
      'POST',
      '/token',
      { ...this.#headers, dpop: this.key.proof('POST', `${this.#origin}/token`) },
      new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: CLIENT_ID,
        code,
        redirect_uri: REDIRECT_URI,
        code_verifier: this.#verifier,
      }),
    );
    const { access_token, id_token } = jsonOf<{ access_token: string; id_token?: string }>(answer);
    if (id_token === undefined) throw new Error('there is no ID token');
    return { key: this.key, token: access_token };
  }
}

/** A client at its own address, because limits are counted by address. */
function fromAnywhere(): Record<string, string> {
  const [a, b, c] = randomBytes(3);
  return { 'x-forwarded-for': `10.${a}.${b}.${c}` };
}

/** A login, request by request: it stops after each and says which it was. The last one ends it. */
export type Steps = AsyncGenerator<Step, LoggedIn>;

/** 'sign in' is all that the application behind bare oidc-provider does, before it sends the browser back. */
export type Step = 'push' | 'authorize' | 'options' | 'assertion' | 'sign in' | 'resume' | 'token';

/** A login at Vouch, with the five requests of docs/http-api.md. */
export async function* vouchLogin(http: HttpClient, origin: string, touch: Touch): Steps {
  const headers = fromAnywhere();
  const page = { ...headers, origin };
  const request = new LoginRequest(http, origin, headers);
  const path = await request.push();
  yield 'push';
  const login = locationOf(await http.send('GET', path, headers));
  yield 'authorize';
  const options = await http.send('POST', `${login}/options`, page, {});
  const credential = touch(jsonOf<PublicKeyCredentialRequestOptionsJSON>(options));
  yield 'options';
  const answer = await http.send('POST', `${login}/verify`, page, credential);
  const { redirectTo } = jsonOf<{ redirectTo: string }>(answer);
  yield 'assertion';
  return request.redeem(redirectTo);
}

/** The same login at bare-provider.ts. */
export async function* bareLogin(http: HttpClient, origin: string): Steps {
  const request = new LoginRequest(http, origin, {});
  const path = await request.push();
  yield 'push';
  const opened = await http.send('GET', path);
  const cookies = (opened.headers['set-cookie'] as string[] | undefined) ?? [];
  const headers = { cookie: cookies.map((line) => line.split(';', 1)[0]).join('; ') };
  yield 'authorize';
  const resume = locationOf(await http.send('POST', locationOf(opened), headers, {}));
  yield 'sign in';
  const callback = locationOf(await http.send('GET', new URL(resume).pathname, headers));
  yield 'resume';
  return request.redeem(callback);
}

/** Does all of a login. */
export async function toTheEnd(steps: Steps): Promise<LoggedIn> {
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
  }
}

/** Pushes a request that nobody opens. */
export async function push(http: HttpClient, origin: string): Promise<void> {
  await new LoginRequest(http, origin, fromAnywhere()).push();
}

/** Asks for a token for AWS, as the agent does before it goes to STS. */
export async function awsToken(http: HttpClient, origin: string, { key, token }: LoggedIn): Promise<void> {
  const path = '/api/aws/token';
  const answer = await http.send(
    'POST',
    path,
    { ...fromAnywhere(), authorization: `DPoP ${token}`, dpop: key.proof('POST', origin + path, token) },
    { role: ROLE },
  );
  if (jsonOf<{ token?: string }>(answer).token === undefined) throw new Error('there is no token');
}
