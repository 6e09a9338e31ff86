import { createConnection, createServer, type Socket } from 'node:net';

/** How much still arrives of the last piece before everything breaks. */
export type LastPiece = 'nothing' | 'half' | 'all';

/**
 * A way to a server that breaks at a chosen moment: at a piece of what the client sends, all connections end. Whatever the server answers
 * to that piece is lost, as if the client had died just then.
 */
export class BreakingRelay {
  readonly #connect: () => Socket;
  readonly #clients = new Set<() => void>();
  readonly #server = createServer((client) => this.#join(client));
  #left = Number.POSITIVE_INFINITY;
  #last: LastPiece = 'all';
  /** How many pieces clients have sent. */
  pieces = 0;
  /** How often it broke. */
  breaks = 0;

  private constructor(connect: () => Socket) {
    this.#connect = connect;
  }

  /** @param to a port of a host, or the path of a Unix socket */
  static async open(to: { host: string; port: number } | { path: string }): Promise<BreakingRelay> {
    const relay = new BreakingRelay(() => createConnection(to));
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Breaks at the piece with this number, counted from now. */
  breakAt(piece: number, last: LastPiece): void {
    this.#left = piece;
    this.#last = last;
  }

  /** Lets everything through again. */
  heal(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    for (const end of this.#clients) end();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const far = this.#connect();
    const end = () => {
      this.#clients.delete(end);
      client.destroy();
      // What was written still arrives.
      far.end();
    };
    this.#clients.add(end);
    for (const socket of [client, far]) socket.on('error', end).on('close', end);
    far.on('data', (piece) => {
      if (!client.destroyed) client.write(piece);
    });
    client.on('data', (piece) => {
      this.pieces += 1;
      this.#left -= 1;
      if (this.#left > 0) {
        far.write(piece);
        return;
      }
      this.heal();
      this.breaks += 1;
      if (this.#last !== 'nothing') far.write(this.#last === 'all' ? piece : piece.subarray(0, piece.length >> 1));
      for (const end of [...this.#clients]) end();
    });
  }
}
