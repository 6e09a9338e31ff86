import type { AddressInfo, Server, Socket } from 'node:net';

/** A server's port on this machine, which can be shut and opened again. */
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

  /** Listens on a free port of 127.0.0.1. */
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

  /** Refuses new connections, and cuts open ones. */
  shut(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#retry);
    this.#server.close();
    // Reset, so that a client that has closed only its own side notices too.
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  reopen(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#listen();
  }

  /** Shuts it for good; resolves when no connection is left. */
  close(): Promise<void> {
    clearTimeout(this.#retry);
    return new Promise((done) => {
      this.#server.close(() => done());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** Tries until it gets the port: the system may have lent it to an outgoing connection for a moment. */
  #listen(): void {
    const taken = () => {
      this.#retry = setTimeout(() => this.#isOpen && this.#listen(), 20);
    };
    this.#server.once('error', taken);
    this.#server.listen(this.port, '127.0.0.1', () => this.#server.off('error', taken));
  }
}
