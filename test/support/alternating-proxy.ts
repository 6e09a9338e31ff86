import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

/**
 * A load balancer that sends every single request to another server than the one before, whoever it is from. It passes all on as it comes,
 * event streams too, and answers 502 when a server does not.
 */
export class AlternatingProxy {
  readonly #targets: readonly number[];
  // A new connection for each request: no server is asked over one that it has left behind.
  readonly #agent = new Agent({ keepAlive: false });
  readonly #server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
  #count = 0;
  /** How many requests each server got, by its port. */
  readonly served = new Map<number, number>();

  private constructor(targets: readonly number[]) {
    this.#targets = targets;
  }

  /**
   * @param port of this machine, where it listens
   * @param targets the servers' ports
   */
  static async open(port: number, targets: readonly number[]): Promise<AlternatingProxy> {
    const proxy = new AlternatingProxy(targets);
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

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const port = this.#targets[this.#count % this.#targets.length] ?? 0;
    this.#count += 1;
    this.served.set(port, (this.served.get(port) ?? 0) + 1);
    const { method, url, headers } = incoming;
    const { connection: _ours, ...rest } = headers;
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers: rest, agent: this.#agent });
    onward.once('response', (answer) => {
      const { connection: _theirs, ...headers } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, headers);
      outgoing.flushHeaders();
      answer.once('error', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    onward.once('error', () => {
      // Half an answer must not look like a whole one.
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end();
    });
    outgoing.once('close', () => onward.destroy());
    incoming.pipe(onward);
  }
}
