import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** The pause between two health checks of one server, in milliseconds. */
const EVERY_MS = 250;

/**
 * A load balancer of the simplest kind: it asks each server's /readyz again and again, and takes turns among those that are ready, over
 * connections that it keeps. It tries nothing again.
 */
export class Balancer {
  readonly #ports: readonly number[];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((incoming, outgoing) => void this.#pass(incoming, outgoing));
  readonly #ready = new Set<number>();
  readonly #checks: Promise<unknown>;
  #closed = false;
  #turn = 0;
  /** Requests that got no answer from a server, or half of one. */
  readonly failures: string[] = [];

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#checks = Promise.all(ports.map((port) => this.#check(port)));
  }

  /** @param port where it listens @param ports the servers' */
  static async open(port: number, ports: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(ports);
    await new Promise<void>((resolve) => balancer.#server.listen(port, '127.0.0.1', resolve));
    return balancer;
  }

  isReady(port: number): boolean {
    return this.#ready.has(port);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#checks;
    this.#agent.destroy();
  }

  async #check(port: number): Promise<void> {
    while (!this.#closed) {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      await response?.body?.cancel();
      if (response?.ok) this.#ready.add(port);
      else this.#ready.delete(port);
      await pause(EVERY_MS);
    }
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const ready = this.#ports.filter((port) => this.#ready.has(port));
    this.#turn += 1;
    const port = ready[this.#turn % ready.length];
    const what = `${incoming.method} ${incoming.url} to ${port}`;
    if (port === undefined) {
      this.failures.push(`${what}: no server is ready`);
      outgoing.writeHead(503).end();
      return;
    }
    const { connection: _ours, ...headers } = incoming.headers;
    const address = headers['x-forwarded-for'] ?? randomAddress();
    const { method, url: path } = incoming;
    const onward = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { ...headers, 'x-forwarded-for': address },
        agent: this.#agent,
      },
      (answer) => {
        const { connection: _theirs, ...told } = answer.headers;
        outgoing.writeHead(answer.statusCode ?? 502, { ...told, 'x-served-by': String(port) });
        outgoing.flushHeaders();
        answer.once('error', (error) => {
          // The client went first.
          if (outgoing.destroyed) return;
          this.failures.push(`${what}: half an answer (${error.message})`);
          outgoing.destroy();
        });
        answer.pipe(outgoing);
      },
    );
    onward.once('error', (error) => {
      if (outgoing.headersSent || outgoing.destroyed) return;
      this.failures.push(`${what}: ${error.message}`);
      outgoing.writeHead(502).end();
    });
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) onward.destroy();
    });
    onward.end(body);
  }
}

/** Each request from another client, so that nobody meets a limit. */
function randomAddress(): string {
  const part = () => 1 + Math.floor(Math.random() * 254);
  return `10.${part()}.${part()}.${part()}`;
}
