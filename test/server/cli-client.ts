import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface KeyPair {
  privateKey: CryptoKey;
  publicJwk: JWK;
}

/** What may be wrong with a DPoP proof (RFC 9449, section 4.2). */
export interface ProofOptions {
  htm?: string;
  htu?: string;
  jti?: string;
  iat?: number;
  /** The access token that `ath` is the hash of. */
  token?: string;
  typ?: string;
  /** Signs with this key, and shows it, unless `shown` says another. */
  key?: KeyPair;
  shown?: JWK;
}

export const REDIRECT_URI = 'http://127.0.0.1:49152/callback';

export async function newKeyPair(): Promise<KeyPair> {
  // Extractable, as a login's is: it is handed to an agent.
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, publicJwk: await exportJWK(publicKey) };
}

const form = (fields: Record<string, string | undefined>) =>
  new URLSearchParams(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  ).toString();

/** An OAuth client written by hand, so that each of its requests can be wrong in one place. */
export class CliClient {
  readonly origin: string;
  readonly key: KeyPair;
  readonly verifier = randomBytes(32).toString('base64url');
  readonly state = randomBytes(16).toString('base64url');
  readonly nonce = randomBytes(16).toString('base64url');

  private constructor(origin: string, key: KeyPair) {
    this.origin = origin;
    this.key = key;
  }

  static async create(origin: string): Promise<CliClient> {
    return new CliClient(origin, await newKeyPair());
  }

  /** A DPoP proof; right for the given method and URL unless told otherwise. */
  async proof(method: string, path: string, how: ProofOptions = {}): Promise<string> {
    const key = how.key ?? this.key;
    return new SignJWT({
      htm: how.htm ?? method,
      htu: how.htu ?? this.origin + path,
      jti: how.jti ?? randomUUID(),
      iat: how.iat ?? Math.floor(Date.now() / 1000),
      ...(how.token === undefined ? {} : { ath: createHash('sha256').update(how.token).digest('base64url') }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: how.typ ?? 'dpop+jwt', jwk: how.shown ?? key.publicJwk })
      .sign(key.privateKey);
  }

  /** The authorization request's parameters. */
  parameters(): Record<string, string> {
    return {
      client_id: 'vouch-cli',
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid email',
      state: this.state,
      nonce: this.nonce,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      machine: 'alices-laptop',
    };
  }

  /** RFC 9126, section 2.1. A parameter that is undefined is left out. */
  push(changes: Record<string, string | undefined> = {}): Promise<Response> {
    return this.#post('/request', { ...this.parameters(), ...changes });
  }

  /** Pushes the request; the path that the browser is to open. */
  async pushed(changes: Record<string, string | undefined> = {}): Promise<string> {
    const response = await this.push(changes);
    const body = (await response.json()) as { request_uri?: string };
    if (body.request_uri === undefined) throw new Error(`PAR failed: ${JSON.stringify(body)}`);
    return `/auth?${form({ client_id: 'vouch-cli', request_uri: body.request_uri })}`;
  }

  /** RFC 6749, section 4.1.3. `proof: null` sends none. */
  async redeem(
    code: string,
    changes: Record<string, string | undefined> = {},
    proof?: string | null,
  ): Promise<Response> {
    const dpop = proof === undefined ? await this.proof('POST', '/token') : proof;
    return this.#post(
      '/token',
      {
        grant_type: 'authorization_code',
        client_id: 'vouch-cli',
        code,
        redirect_uri: REDIRECT_URI,
        code_verifier: this.verifier,
        ...changes,
      },
      dpop === null ? {} : { dpop },
    );
  }

  /** A request to the server's own API with this client's key. */
  async api(
    method: string,
    path: string,
    token: string,
    how: { proof?: string | null; scheme?: string; body?: unknown } = {},
  ): Promise<Response> {
    const proof = how.proof === undefined ? await this.proof(method, path, { token }) : how.proof;
    return fetch(this.origin + path, {
      method,
      headers: {
        authorization: `${how.scheme ?? 'DPoP'} ${token}`,
        ...(proof === null ? {} : { dpop: proof }),
        ...(how.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(how.body === undefined ? {} : { body: JSON.stringify(how.body) }),
    });
  }

  #post(path: string, fields: Record<string, string | undefined>, headers: Record<string, string> = {}) {
    return fetch(this.origin + path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: form(fields),
    });
  }
}
