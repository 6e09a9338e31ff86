import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { type Freshness, readFreshness } from './freshness.ts';

/** AWS gives up after about 5 seconds (re:Post, "InvalidIdentityToken"). In milliseconds. */
const LONGEST_MS = 5_000;

/** In bytes; the two documents have about 1,000. */
const LARGEST = 64 * 1024;

/** What keeps AWS from reading a document. Programs decide by it. */
export type Obstacle =
  | 'unreachable'
  | 'tls'
  | 'too-slow'
  | 'redirected'
  | 'status'
  | 'too-long'
  | 'compressed'
  | 'not-json';

/** A document could not be read as AWS reads it. The message is a sentence on why. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
  readonly obstacle: Obstacle;
  /** The HTTP status, if that is what is wrong. */
  readonly status: number | undefined;

  constructor(obstacle: Obstacle, message: string, { cause, status }: { cause?: unknown; status?: number } = {}) {
    super(message, { cause });
    this.obstacle = obstacle;
    this.status = status;
  }
}

/** The certificates of a host. */
export interface Chain {
  /** What IAM calls the thumbprint: SHA-1 of the topmost certificate below the root, 40 hexadecimal digits. */
  thumbprint: string;
  /** When the host's own certificate ends, in milliseconds since the epoch. */
  endsAt: number;
}

export interface FetchedDocument {
  json: Record<string, unknown>;
  freshness: Freshness;
  /** The answer's Date, in milliseconds since the epoch. It is older than now by the age of a cached copy. */
  date: number | undefined;
  /** Undefined without TLS. */
  chain: Chain | undefined;
}

/**
 * Fetches a document as AWS does: one GET over TLS with certificates that are trusted here, no redirection, in 5 seconds. It goes through
 * the proxy of the environment, and every try makes its own connection.
 *
 * @param limits.longestMs how long it may take, in milliseconds
 * @param limits.roots the only CAs to trust, in PEM, instead of all that this process trusts
 * @throws Unreadable
 */
export async function fetchDocument(
  address: string,
  { longestMs = LONGEST_MS, roots }: { longestMs?: number; roots?: readonly string[] } = {},
): Promise<FetchedDocument> {
  const url = new URL(address);
  const secure = url.protocol === 'https:';
  const trust = roots === undefined ? {} : { ca: [...roots] };
  const options = { keepAlive: false, proxyEnv: process.env, maxCachedSessions: 0, ...trust };
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
  const signal = AbortSignal.timeout(longestMs);
  const headers = { Accept: 'application/json', 'Accept-Encoding': 'identity', 'User-Agent': 'vouch-server' };
  const request = (secure ? httpsRequest : httpRequest)(url, { agent, signal, headers });
  try {
    const response = await answerTo(request, signal);
    // Before the body, after which the connection may be gone.
    const chain = secure ? chainOf(response.socket as TLSSocket) : undefined;
    checkHead(response);
    const json = parse(await readBody(response));
    const date = Date.parse(response.headers.date ?? '');
    return {
      json,
      freshness: readFreshness(response.headers),
      date: Number.isNaN(date) ? undefined : date,
      chain,
    };
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    if (signal.aborted)
      throw new Unreadable('too-slow', `It took longer than ${longestMs / 1000} seconds.`, { cause: error });
    throw unreachable(error as NodeJS.ErrnoException);
  } finally {
    request.destroy();
    agent.destroy();
  }
}

/** The request alone would not say all that can happen: it hears of its signal only once a proxy has opened the tunnel. */
function answerTo(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    // It may fail again after it has ended; without a listener that would end the process.
    request.on('error', reject);
    // Such as after a 101, when it asked for no other protocol.
    request.once('close', () => reject(new Error('the connection ended without an answer')));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    request.end();
  });
}

function checkHead({ statusCode = 0, headers }: IncomingMessage): void {
  if (statusCode >= 300 && statusCode < 400) {
    throw new Unreadable('redirected', `It redirects (status ${statusCode}) instead of answering.`);
  }
  if (statusCode !== 200)
    throw new Unreadable('status', `It answers with status ${statusCode}.`, { status: statusCode });
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new Unreadable('compressed', 'Its answer is compressed, and nobody asked for that.');
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Leaving the loop ends the request.
    if (length > LARGEST) throw new Unreadable('too-long', `It has more than ${LARGEST} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(body.toString());
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch {}
  throw new Unreadable('not-json', 'It is not a JSON object.');
}

function chainOf(socket: TLSSocket): Chain | undefined {
  const leaf = socket.getPeerCertificate(true);
  if (leaf.fingerprint256 === undefined) return undefined;
  let top = leaf;
  let below = leaf;
  // A root is its own issuer.
  while (top.issuerCertificate !== undefined && top.issuerCertificate.fingerprint256 !== top.fingerprint256) {
    below = top;
    top = top.issuerCertificate;
  }
  const named: DetailedPeerCertificate = below === leaf ? top : below;
  return {
    thumbprint: named.fingerprint.replaceAll(':', '').toLowerCase(),
    endsAt: Date.parse(leaf.valid_to),
  };
}

/** OpenSSL's and Node's codes for a certificate that is not accepted, or a handshake that fails. */
const TLS_CODE = /CERT|_TLS_|_SSL_|UNABLE_TO_|_CA$|EPROTO|HOSTNAME_MISMATCH/;

function unreachable(error: NodeJS.ErrnoException): Unreadable {
  const { code = '', message } = error;
  const why = message.replace(/\p{C}+/gu, ' ').slice(0, 300);
  return TLS_CODE.test(code)
    ? new Unreadable('tls', `Its certificate is not accepted (${code}): ${why}`, { cause: error })
    : new Unreadable('unreachable', `It cannot be reached: ${why}`, { cause: error });
}
