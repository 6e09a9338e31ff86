import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AwsCredentials } from '../../aws/credentials.ts';
import { sameSecret } from '../../network/loopback-answers.ts';
import { sendJson } from '../sockets/http-answer.ts';
import type { SocketLimits } from '../sockets/limits.ts';

/** The path of the credentials. */
const path = '/credentials';

/**
 * A credentials endpoint in the form of AWS's container provider (AWS SDKs and Tools reference guide, "Container credential provider"):
 * tools ask the address in AWS_CONTAINER_CREDENTIALS_FULL_URI, with AWS_CONTAINER_AUTHORIZATION_TOKEN as Authorization. It is on
 * loopback, which every user of the machine reaches, so the token is what protects it.
 */
export class AwsEndpoint {
  readonly token = randomBytes(32).toString('base64url');
  readonly #server: Server;
  #port = 0;

  /** @param reveal gives the credentials */
  constructor(
    reveal: () => Promise<AwsCredentials>,
    { requestTimeout, connections }: Pick<SocketLimits, 'requestTimeout' | 'connections'>,
  ) {
    const options = { maxHeaderSize: 4096, headersTimeout: requestTimeout, requestTimeout };
    this.#server = createServer(
      { ...options, connectionsCheckingInterval: requestTimeout / 5 },
      (request, response) => {
        response.setHeader('connection', 'close');
        response.setHeader('cache-control', 'no-store');
        void this.#answer(request, response, reveal);
      },
    );
    this.#server.maxConnections = connections;
    this.#server.maxRequestsPerSocket = 1;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}${path}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      // Node calls back no more once it is closed.
      this.#server.once('close', () => reject(new Error('It was closed before it listened.')));
      this.#server.listen({ port: 0, host: '127.0.0.1' }, () => resolve());
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse, reveal: () => Promise<AwsCredentials>) {
    try {
      // A page whose host's name leads here has another Host.
      if (request.headers.host !== `127.0.0.1:${this.#port}`) return refuse(response, 403, 'Misdirected');
      if (!sameSecret(request.headers.authorization ?? '', this.token)) return refuse(response, 401, 'Unauthorized');
      if (request.method !== 'GET' || request.url !== path) return refuse(response, 404, 'NotFound');
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await reveal();
      const Expiration = new Date(expiration).toISOString();
      sendJson(response, {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration,
      });
    } catch {
      // The reason is in the agent's log.
      refuse(response, 502, 'NoCredentials');
    }
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const text = JSON.stringify({ code, message: 'Vouch gives no credentials for this request.' });
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
