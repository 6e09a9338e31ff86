import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { EmbeddedJWK, jwtVerify } from 'jose';
import { onTestFinished } from 'vitest';
import type { NewSession } from '../../cli/agent/protocol/messages.ts';
import type { Io } from '../../cli/terminal/io.ts';
import { runToExitCode } from '../../cli/vouch/run.ts';

/** The source tree. */
export const root = join(import.meta.dirname, '../..');

export const role = 'arn:aws:iam::123456789012:role/VouchDeveloper';
export const host = 'git-codecommit.us-east-1.amazonaws.com';
export const gitRequest = `protocol=https\nhost=${host}\npath=v1/repos/demo\n`;

/** A developer's machine for one test: its own folders, and an environment that inherits only the PATH. */
export interface Machine {
  folder: string;
  env: NodeJS.ProcessEnv;
  agentSocket: string;
  gitSocket: string;
}

export function machine(): Machine {
  // Short, as a socket's path may have about 100 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'v-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const env = {
    HOME: join(folder, 'home'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C',
    // As installed: npm's links in one folder, this Node in another.
    PATH: [join(folder, 'bin'), dirname(process.execPath), process.env.PATH].join(delimiter),
  };
  for (const path of [env.HOME, env.XDG_RUNTIME_DIR, join(folder, 'bin')]) mkdirSync(path, { mode: 0o700 });
  const sockets = join(env.XDG_RUNTIME_DIR, 'vouch');
  return { folder, env, agentSocket: join(sockets, 'agent.sock'), gitSocket: join(sockets, 'git.sock') };
}

/** Lays the helper out as npm does: the package in one place, a relative link to the script in a folder on the PATH. */
export function installHelper({ folder }: Machine): string {
  const script = join(folder, 'package/cli/git-credential-vouch/git-credential-vouch');
  mkdirSync(dirname(script), { recursive: true });
  cpSync(join(root, 'cli/git-credential-vouch/git-credential-vouch'), script);
  chmodSync(script, 0o755);
  const program = join(folder, 'package/dist/cli/git-credential-vouch/main.cjs');
  mkdirSync(dirname(program), { recursive: true });
  writeFileSync(program, `import(${JSON.stringify(join(root, 'cli/git-credential-vouch/main.ts'))});\n`);
  writeFileSync(join(folder, 'package/package.json'), '{"type":"module"}');
  const link = join(folder, 'bin/git-credential-vouch');
  symlinkSync('../package/cli/git-credential-vouch/git-credential-vouch', link);
  return link;
}

/** Writes the profile that names the role. */
export function setUpProfile({ env }: Machine, name = 'vouch', arn = role): void {
  const file = join(env.HOME ?? '', '.aws/config');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `[profile ${name}]\ncredential_process = vouch credential aws --role ${arn}\n`, { flag: 'a' });
}

/** Writes a profile whose role is assumed through another profile's. */
export function setUpChain({ env }: Machine, name: string, source: string, arn: string, more = ''): void {
  const file = join(env.HOME ?? '', '.aws/config');
  writeFileSync(file, `[profile ${name}]\nrole_arn = ${arn}\nsource_profile = ${source}\n${more}\n`, { flag: 'a' });
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, with something on its standard input. */
export function run(
  file: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  input: string | Buffer = '',
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, cwd: env.HOME });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    // A program that does not read its input closes it first.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Says something on a socket, closes our side, and gives back all that was answered. */
export function say(path: string, request: string | Buffer, { end = true } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    let answer = '';
    socket.setEncoding('utf8').on('data', (text) => (answer += text));
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(answer);
      else reject(error);
    });
    if (end) socket.end(request);
    else socket.write(request);
  });
}

export function captured(env: NodeJS.ProcessEnv) {
  const out = { stdout: '', stderr: '' };
  return {
    out,
    io: {
      env,
      stdout: { write: (text: string) => (out.stdout += text) },
      stderr: { write: (text: string) => (out.stderr += text) },
    },
  };
}

/** Runs one of `vouch`'s commands in this process, and prints errors as `vouch` does. */
export async function runCommand(
  env: NodeJS.ProcessEnv,
  command: (io: Io) => Promise<number>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { io, out } = captured(env);
  return { code: await runToExitCode(() => command(io), io.stderr), ...out };
}

/** The identity server and STS, as far as the agent speaks with them, on loopback. */
export interface Services {
  url: string;
  /** The requests that were served, in order: `token`, `revoke`, `events`, `account` (keys and sessions), `sts`. */
  calls: { what: string; authorization?: string | undefined; query?: URLSearchParams; body?: string }[];
  /** What to answer instead, while it is set. */
  answers: Partial<Record<'token' | 'revoke' | 'events' | 'account' | 'sts', (response: ServerResponse) => unknown>>;
  /** When the credentials end that STS gives for a request, in milliseconds since 1970. */
  expiration: (request: URLSearchParams) => number;
  /** Stops listening, and gives a function that starts it again at the same address. */
  stop(): Promise<() => void>;
  count(what: string): number;
}

export async function services(): Promise<Services> {
  let serial = 0;
  const result: Services = {
    url: '',
    calls: [],
    answers: {},
    expiration: () => Date.now() + 3600_000,
    stop: async () => {
      const { port } = server.address() as AddressInfo;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      return () => server.listen({ port, host: '127.0.0.1' });
    },
    count: (what) => result.calls.filter((call) => call.what === what).length,
  };
  // A chained role's session token comes in a header.
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    handle(request, response).catch((error) => response.writeHead(599).end(String(error)));
  });
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const path = `${request.method} ${request.url}`;
    const named: Record<string, string> = {
      'POST /api/aws/token': 'token',
      'DELETE /api/session': 'revoke',
      'GET /api/session/events': 'events',
      'POST /': 'sts',
    };
    const what = named[path] ?? (/ \/api\/(keys|sessions|not-me)\b/.test(path) ? 'account' : undefined);
    if (what === undefined) return response.writeHead(404).end();
    const { authorization } = request.headers;
    // A server without events, which most tests are not about, is asked for them once.
    if (what !== 'events' || result.answers.events) {
      result.calls.push({ what, authorization, body, query: new URLSearchParams(body) });
    }
    if (what !== 'sts') await checkProof(request, result.url);
    const instead = result.answers[what as keyof Services['answers']];
    if (instead) return instead(response);
    if (what === 'revoke') return response.writeHead(204).end();
    if (what === 'events' || what === 'account') {
      return json(response, 404, { type: 'urn:vouch:problem:not-found', title: 'Nothing.' });
    }
    serial++;
    if (what === 'token') {
      const { lent } = JSON.parse(body) as { lent?: string };
      return json(response, 200, { token: `idtoken.${serial}.x`, expiresAt: new Date().toISOString(), lent });
    }
    const action = new URLSearchParams(body).get('Action');
    response.writeHead(200, { 'content-type': 'text/xml' }).end(
      `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <${action}Result><Credentials><AccessKeyId>ASIAEXAMPLE${serial}</AccessKeyId>
        <SecretAccessKey>secret/of+${serial}</SecretAccessKey><SessionToken>sessiontoken/of+${serial}==</SessionToken>
        <Expiration>${new Date(result.expiration(new URLSearchParams(body))).toISOString()}</Expiration></Credentials>
        </${action}Result></${action}Response>`,
    );
  };
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  result.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return result;
}

/** STS's refusal. */
export function stsError(code: string, message: string, status = 403) {
  return (response: ServerResponse) =>
    response
      .writeHead(status, { 'content-type': 'text/xml' })
      .end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
      );
}

export function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** RFC 9449 section 4.3, as far as it catches a client that does not prove possession. */
async function checkProof(request: IncomingMessage, url: string): Promise<void> {
  const { payload } = await jwtVerify(String(request.headers.dpop), EmbeddedJWK, { typ: 'dpop+jwt' });
  if (payload.htm !== request.method || payload.htu !== `${url}${request.url}` || !payload.ath) {
    throw new Error('the DPoP proof is not for this request');
  }
}

export function newSession(issuer: string, changes: Partial<NewSession> = {}): NewSession {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    issuer,
    accessToken: 'access.token.of-alice',
    dpopKey: privateKey.export({ format: 'jwk' }),
    email: 'alice@example.com',
    key: { name: 'Work key', model: 'YubiKey 5C NFC' },
    expiresAt: new Date(Date.now() + 8 * 3600_000).toISOString(),
    ...changes,
  };
}

/** The answer's lines as an object. */
export function lines(answer: string): Record<string, string> {
  return Object.fromEntries(
    answer
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

export const read = (path: string) => readFileSync(path, 'utf8');
