import type { AddressInfo, Server, Socket } from 'node:net';

/** A server's port on this machine: a free one, that can be shut and opened again. */
export class Door {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen = true;
  #retry: NodeJS.Timeout | undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Listens on a free port of this machine alone. */
  static async open(server: Server): Promise<Door> {
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen(0, '127.0.0.1', () => {
        server.off('error', failed);
        done();
      });
    });
    return new Door(server);
  }

  /** Refuses connections from now on, and cuts those that are there. */
  shut(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#retry);
    this.#server.close();
    // Reset, so that it is noticed as an end by who had only hung up on one side.
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  reopen(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#listen();
  }

  /** Shuts it for good; resolves when nobody is there any more. */
  close(): Promise<void> {
    clearTimeout(this.#retry);
    return new Promise((done) => {
      this.#server.close(() => done());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** A port that was given up may be somebody's for a moment: the system gives such to connections that go out. */
  #listen(): void {
    const taken = () => {
      this.#retry = setTimeout(() => this.#isOpen && this.#listen(), 20);
    };
    this.#server.once('error', taken);
    this.#server.listen(this.port, '127.0.0.1', () => this.#server.off('error', taken));
  }
}
