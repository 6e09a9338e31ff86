import { type ExecFileException, execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import type { RoleOptions } from './accounts.ts';
import { gitSignature } from './git-signature.ts';
import type { Statement } from './policy.ts';
import { basicDate } from './sigv4.ts';
import type { LocalAws } from './start.ts';

/** A temporary folder, with a function that removes it. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'vouch-aws-'));
  // A process of Git's that is being killed may still make a file.
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** An OpenID Connect issuer that publishes and signs whatever a test wants. */
export interface Issuer {
  url: string;
  discovery: Record<string, unknown>;
  keys: JWK[];
  /** If set, the answer to every request. */
  answer: { status: number; body: string } | undefined;
  /** The requested paths. */
  requests: string[];
  /** A valid token with the test's changes. An undefined claim is left out. */
  token(claims?: JWTPayload, header?: { kid?: string; alg?: string; key?: CryptoKey | Uint8Array }): Promise<string>;
  /** Changes to a new signing key, published or not. */
  rotate(kid: string, publish?: boolean, alg?: string): Promise<void>;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<Issuer> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    issuer.requests.push(request.url ?? '');
    const json = request.url === '/jwks' ? { keys: issuer.keys } : issuer.discovery;
    response.writeHead(issuer.answer?.status ?? 200, { 'content-type': 'application/json' });
    response.end(issuer.answer?.body ?? JSON.stringify(json));
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let current: { key: CryptoKey; kid: string; alg: string };
  const issuer: Issuer = {
    url,
    discovery: {
      issuer: url,
      jwks_uri: `${url}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    },
    keys: [],
    answer: undefined,
    requests: [],
    async token(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: url, sub: 'alice@example.com', aud: url, iat: now, exp: now + 300, ...claims };
      return new SignJWT(JSON.parse(JSON.stringify(payload)))
        .setProtectedHeader({ alg: header.alg ?? current.alg, kid: header.kid ?? current.kid })
        .sign(header.key ?? current.key);
    },
    async rotate(kid, publish = true, alg = 'ES256') {
      const { publicKey, privateKey } = await generateKeyPair(alg);
      current = { key: privateKey, kid, alg };
      if (publish) issuer.keys = [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }];
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
  await issuer.rotate('first');
  return issuer;
}

export const accountId = '123456789012';
export const roleArn = `arn:aws:iam::${accountId}:role/VouchDeveloper`;
export const allActions = ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'];

/** A trust policy's statement for an issuer on this machine. */
export function trust(issuer: Pick<Issuer, 'url'>, more: Partial<Statement> = {}): Statement {
  const provider = issuer.url.replace('http://', '');
  return {
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::${accountId}:oidc-provider/${provider}` },
    Action: allActions,
    ...more,
  };
}

/** Adds the issuer to the account's providers, and a role that trusts it and may pull and push every repository. */
export function trustIssuer(aws: LocalAws, issuer: Pick<Issuer, 'url'>, role: Partial<RoleOptions> = {}): void {
  aws.account().addProvider({ url: issuer.url, clientIds: [issuer.url] });
  aws.account().addRole({
    name: 'VouchDeveloper',
    trustPolicy: { Version: '2012-10-17', Statement: trust(issuer) },
    permissionPolicies: [
      {
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Action: ['codecommit:GitPull', 'codecommit:GitPush'],
          Resource: `arn:aws:codecommit:*:${accountId}:*`,
        },
      },
    ],
    ...role,
  });
}

export interface StsAnswer {
  status: number;
  /** The refusal's code, or undefined. */
  code: string | undefined;
  message: string | undefined;
  /** The text of the first element with this name. */
  text(element: string): string | undefined;
}

/** Calls STS, as a program without an SDK would. */
export async function sts(aws: LocalAws, form: Record<string, string | undefined>): Promise<StsAnswer> {
  const body = new URLSearchParams({ Version: '2011-06-15' });
  for (const [name, value] of Object.entries(form)) {
    if (value === undefined) body.delete(name);
    else body.set(name, value);
  }
  return answer(await fetch(aws.stsUrl, { method: 'POST', body }));
}

export async function answer(response: Response): Promise<StsAnswer> {
  const xml = await response.text();
  const text = (element: string) => new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  const message = text('Message')?.replaceAll('&apos;', "'").replaceAll('&amp;', '&').replaceAll('&quot;', '"');
  return { status: response.status, code: text('Code'), message, text };
}

/** Calls AssumeRoleWithWebIdentity with a token, and with the test's changes to the parameters. */
export const assume = (aws: LocalAws, token: string, changes: Record<string, string | undefined> = {}) =>
  sts(aws, {
    Action: 'AssumeRoleWithWebIdentity',
    RoleArn: roleArn,
    RoleSessionName: 'alice@example.com',
    WebIdentityToken: token,
    ...changes,
  });

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

/** Credentials of the role, for a valid token. */
export async function credentials(aws: LocalAws, issuer: Issuer): Promise<Credentials> {
  return readCredentials(await assume(aws, await issuer.token()));
}

/** The credentials in STS's answer. */
export const readCredentials = (assumed: StsAnswer): Credentials => ({
  accessKeyId: assumed.text('AccessKeyId') ?? '',
  secretAccessKey: assumed.text('SecretAccessKey') ?? '',
  sessionToken: assumed.text('SessionToken') ?? '',
});

/** The user name and password that a credential helper would give for a repository. */
export function gitCredentials(
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  changes: { host?: string; region?: string; path?: string; date?: Date } = {},
): { username: string; password: string } {
  const { host, region, path, date } = {
    host: 'git-codecommit.us-east-1.amazonaws.com',
    region: 'us-east-1',
    path: '/v1/repos/demo',
    date: new Date(),
    ...changes,
  };
  const signedAt = basicDate(date).replace('Z', '');
  const signature = gitSignature({ secretAccessKey, date: signedAt, region, host, path });
  return { username: `${accessKeyId}%${sessionToken}`, password: `${signedAt}Z${signature}` };
}

export interface GitResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs the real Git with the given settings only, and with a credential helper that returns the given credentials, or none.
 */
export function git(
  aws: LocalAws,
  home: string,
  args: string[],
  options: { cwd?: string; credentials?: { username: string; password: string }; config?: string[] } = {},
): Promise<GitResult> {
  const { username, password } = options.credentials ?? {};
  const helper =
    username === undefined ? '' : '!f() { printf "username=%s\\npassword=%s\\n" "$TEST_USER" "$TEST_PASS"; }; f';
  const config = [...aws.gitConfig.map(([key, value]) => `${key}=${value}`), `credential.helper=${helper}`];
  return new Promise((done) => {
    execFile(
      'git',
      [...config, ...(options.config ?? [])].flatMap((setting) => ['-c', setting]).concat(args),
      {
        cwd: options.cwd ?? home,
        maxBuffer: 64 * 1024 * 1024,
        env: {
          PATH: process.env.PATH,
          HOME: home,
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_TERMINAL_PROMPT: '0',
          GIT_AUTHOR_NAME: 'Alice',
          GIT_AUTHOR_EMAIL: 'alice@example.com',
          GIT_COMMITTER_NAME: 'Alice',
          GIT_COMMITTER_EMAIL: 'alice@example.com',
          TEST_USER: username,
          TEST_PASS: password,
        },
      },
      (error: ExecFileException | null, stdout, stderr) =>
        done({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

/** Asks the proxy for a tunnel. @returns the status and the socket of its answer */
export function tunnel(aws: LocalAws, target: string): Promise<{ status: number; socket: Socket }> {
  return new Promise((done, failed) => {
    const { hostname, port } = new URL(aws.proxyUrl);
    httpRequest({ hostname, port, method: 'CONNECT', path: target, agent: false })
      .on('connect', (response, socket) => done({ status: response.statusCode ?? 0, socket: socket as Socket }))
      .on('error', failed)
      .end();
  });
}
