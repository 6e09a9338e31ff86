import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { TestCa } from '../../aws/test-ca.ts';
import { freePort } from '../../support/free-port.ts';
import { trust } from '../../support/trust.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A static web host with TLS, such as S3 behind CloudFront or GitHub pages, on this machine. */
export class StaticHost {
  /** Headers of every answer. */
  headers: Record<string, string> = { 'Cache-Control': 'public, max-age=300' };
  /** Answers in the folder's place, by path. */
  readonly instead = new Map<string, Handler>();
  /** The paths that were asked for. */
  readonly asked: string[] = [];
  /** Other than the test CA's proper certificate. */
  certificate: SecureContext | undefined;
  readonly url: string;
  readonly #server: Server;
  readonly #folder: string;

  private constructor(port: number, folder: string, ca: TestCa) {
    this.url = `https://localhost:${port}`;
    this.#folder = folder;
    this.#server = createServer(
      {
        SNICallback: (host, done) =>
          void Promise.resolve(this.certificate ?? ca.contextFor(host)).then((context) => done(null, context), done),
      },
      (request, response) => void this.#answer(request, response),
    );
  }

  /** @param folder what it serves @param ca whoever should trust it must know this CA */
  static async start(folder: string, ca: TestCa): Promise<StaticHost> {
    const port = await freePort();
    const host = new StaticHost(port, folder, ca);
    await new Promise<void>((resolve) => host.#server.listen(port, 'localhost', resolve));
    return host;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', this.url).pathname;
    this.asked.push(path);
    for (const [name, value] of Object.entries(this.headers)) response.setHeader(name, value);
    const instead = this.instead.get(path);
    if (instead !== undefined) return instead(request, response);
    try {
      response.end(await readFile(join(this.#folder, path)));
    } catch {
      response.writeHead(404).end('There is no such page.');
    }
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Lets this process trust a CA that is made for it. @returns the CA, and what ends that */
export async function trustedCa(): Promise<{ ca: TestCa; forget: () => void }> {
  const ca = await TestCa.create();
  return { ca, forget: trust(ca.pem) };
}
