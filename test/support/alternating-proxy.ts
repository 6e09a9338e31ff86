import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/**
 * A load balancer that sends every single request to another server than the one before, whoever it is from. It passes all on as it comes,
 * event streams too. A request that a server does not even accept goes to the next one; when an answer fails to come, it is 502.
 */
export class AlternatingProxy {
  readonly #targets: readonly number[];
  readonly #clientOf: (() => string) | undefined;
  // A new connection for each request: no server is asked over one that it has left behind.
  readonly #agent = new Agent({ keepAlive: false });
  readonly #server = createServer((incoming, outgoing) => {
    // A client that has gone needs no answer.
    this.#pass(incoming, outgoing).catch(() => outgoing.destroy());
  });
  #count = 0;
  /** How many requests each server got, by its port. */
  readonly served = new Map<number, number>();

  private constructor(targets: readonly number[], clientOf?: () => string) {
    this.#targets = targets;
    this.#clientOf = clientOf;
  }

  /**
   * @param port of this machine, where it listens
   * @param targets the servers' ports
   * @param clientOf the address that a request seems to come from, if it does not say so itself
   */
  static async open(port: number, targets: readonly number[], clientOf?: () => string): Promise<AlternatingProxy> {
    const proxy = new AlternatingProxy(targets, clientOf);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(port, '127.0.0.1', resolve);
    });
    return proxy;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const first = this.#count;
    this.#count += 1;
    for (let tries = 0; tries < this.#targets.length; tries += 1) {
      const port = this.#targets[(first + tries) % this.#targets.length] ?? 0;
      if (await this.#send(port, incoming, body, outgoing)) return;
    }
    outgoing.writeHead(502).end();
  }

  /** @returns false when the server did not accept the connection */
  #send(port: number, incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse): Promise<boolean> {
    const { method, url, headers } = incoming;
    const { connection: _ours, ...rest } = headers;
    if (this.#clientOf !== undefined) rest['x-forwarded-for'] ??= this.#clientOf();
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers: rest, agent: this.#agent });
    outgoing.once('close', () => onward.destroy());
    return new Promise((resolve) => {
      onward.once('response', (answer) => {
        this.served.set(port, (this.served.get(port) ?? 0) + 1);
        const { connection: _theirs, ...headers } = answer.headers;
        outgoing.writeHead(answer.statusCode ?? 502, headers);
        outgoing.flushHeaders();
        // Half an answer must not look like a whole one.
        answer.once('error', () => outgoing.destroy());
        answer.pipe(outgoing);
        resolve(true);
      });
      onward.once('error', (error: NodeJS.ErrnoException) => {
        const refused = error.code === 'ECONNREFUSED';
        if (!refused && outgoing.headersSent) outgoing.destroy();
        else if (!refused) outgoing.writeHead(502).end();
        resolve(!refused);
      });
      onward.end(body);
    });
  }
}
