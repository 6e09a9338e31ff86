import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface KeyPair {
  privateKey: CryptoKey;
  publicJwk: JWK;
}

/** Changes to a DPoP proof (RFC 9449, section 4.2). */
export interface ProofOptions {
  htm?: string;
  htu?: string;
  jti?: string;
  iat?: number;
  /** The access token whose hash is in `ath`. */
  token?: string;
  typ?: string;
  /** The key that signs the proof. The proof also shows it, unless `shown` is given. */
  key?: KeyPair;
  shown?: JWK;
}

export const REDIRECT_URI = 'http://127.0.0.1:49152/callback';

export async function newKeyPair(): Promise<KeyPair> {
  // Extractable, like the key of a login, which is handed to the agent.
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

  /** A DPoP proof for a method and a path, with changes if some are given. */
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

  /** Pushes the request (RFC 9126, section 2.1). An undefined parameter is left out. */
  push(changes: Record<string, string | undefined> = {}): Promise<Response> {
    return this.#post('/request', { ...this.parameters(), ...changes });
  }

  /** Pushes the request. @returns the path of the short address, which the browser opens next */
  async shortPath(changes: Record<string, string | undefined> = {}): Promise<string> {
    const response = await this.push(changes);
    const body = (await response.json()) as { address?: string };
    if (body.address === undefined) throw new Error(`PAR gave no address: ${JSON.stringify(body)}`);
    return new URL(body.address).pathname;
  }

  /** Pushes the request. @returns the path of its long address, which a browser may open for a minute (RFC 9126, section 4) */
  async authorizationPath(changes: Record<string, string | undefined> = {}): Promise<string> {
    const response = await this.push(changes);
    const body = (await response.json()) as { request_uri?: string };
    if (body.request_uri === undefined) throw new Error(`PAR failed: ${JSON.stringify(body)}`);
    return `/auth?${form({ client_id: 'vouch-cli', request_uri: body.request_uri })}`;
  }

  /** Redeems a code (RFC 6749, section 4.1.3). With `proof: null` it sends no proof. */
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
