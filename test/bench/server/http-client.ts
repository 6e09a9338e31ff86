import { Agent, request } from 'node:http';

/** An answer, read to its end. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/**
 * A client on `node:http` that keeps its connections open, as a proxy in front of the server does. `fetch` would take more of the
 * processor than the server that it measures.
 */
export class HttpClient {
  readonly #origin: string;
  readonly #host: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });

  /** @param issuer the origin that the server has for its clients, if they reach it through something else */
  constructor(origin: string, issuer = origin) {
    this.#origin = origin;
    this.#host = new URL(issuer).host;
  }

  /** @param body a form's fields as text, or an object for JSON */
  send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: URLSearchParams | object,
  ): Promise<Answer> {
    const { text, type } = written(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        this.#origin + path,
        {
          method,
          agent: this.#agent,
          headers: {
            ...(text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
            host: this.#host,
            ...headers,
          },
        },
        (response) => {
          let read = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            read += chunk;
          });
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: read }),
          );
          response.once('error', reject);
        },
      );
      sent.once('error', reject);
      sent.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function written(body: URLSearchParams | object | undefined): { text?: string; type: string } {
  if (body === undefined) return { type: '' };
  if (body instanceof URLSearchParams) return { text: body.toString(), type: 'application/x-www-form-urlencoded' };
  return { text: JSON.stringify(body), type: 'application/json' };
}

/**
 * An answer's body as JSON.
 *
 * @throws Error for any other status than the wanted one: a refusal may be fast
 */
export function jsonOf<Body>({ status, body }: Answer, wanted = 200): Body {
  if (status !== wanted) throw new Error(`status ${status}, not ${wanted}: ${body.slice(0, 300)}`);
  return JSON.parse(body) as Body;
}

/** Where an answer leads. @throws Error if it leads nowhere */
export function locationOf({ status, headers, body }: Answer): string {
  if (typeof headers.location !== 'string') throw new Error(`status ${status} leads nowhere: ${body.slice(0, 300)}`);
  return headers.location;
}
