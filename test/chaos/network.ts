import { createServer, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Door } from '../aws/door.ts';

/** How a link is at the moment. */
export type Condition =
  | 'up'
  /** Connections are refused, and those that are there are cut. */
  | 'down'
  /** Connections are taken, and nothing comes through, either way; what was said meanwhile arrives when the link is up again. */
  | 'black-hole'
  /** The far end hangs up at once, though it goes on listening; of what it says nothing arrives. */
  | 'half-closed'
  /** Every piece takes so many milliseconds longer, each way. */
  | { delay: number };

/** A piece of network: a port on this machine that leads to another one, as well as its condition lets it. */
export class Link {
  readonly #target: number;
  readonly #clients = new Set<Socket>();
  #door: Door | undefined;
  #condition: Condition = 'up';
  #changed = Promise.withResolvers<void>();

  private constructor(target: number) {
    this.#target = target;
  }

  /** @param target the port of 127.0.0.1 that it leads to */
  static async open(target: number): Promise<Link> {
    const link = new Link(target);
    const server = createServer({ allowHalfOpen: true }, (client) => link.#join(client));
    link.#door = await Door.open(server);
    return link;
  }

  get port(): number {
    return this.#door?.port ?? 0;
  }

  get condition(): Condition {
    return this.#condition;
  }

  set condition(condition: Condition) {
    this.#condition = condition;
    if (condition === 'down') this.#door?.shut();
    else this.#door?.reopen();
    if (condition === 'half-closed') for (const client of this.#clients) client.end();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async close(): Promise<void> {
    this.condition = 'up';
    await this.#door?.close();
  }

  #join(client: Socket): void {
    this.#clients.add(client);
    const far = new Socket({ allowHalfOpen: true });
    client.on('error', () => client.destroy());
    client.once('close', () => {
      this.#clients.delete(client);
      far.destroy();
    });
    // That nobody listens there is told by a connection that breaks.
    far.on('error', () => client.resetAndDestroy());
    const joined = this.#passage().then(() => {
      if (!client.destroyed) far.connect(this.#target, '127.0.0.1');
    });
    this.#carry(client, far, joined);
    const answered = this.#carry(far, client, joined);
    far.once('close', () => answered().then(() => client.destroySoon()));
    // Whoever gives up in a black hole is gone at once: the far end shall not wait for a client that has left.
    client.once('end', () => this.#condition === 'black-hole' && client.destroy());
    if (this.#condition === 'half-closed') client.end();
  }

  /**
   * Carries what one says to the other, piece by piece and in order, once they are joined.
   *
   * @returns what resolves when all that was said until now has been carried
   */
  #carry(from: Socket, to: Socket, joined: Promise<void>): () => Promise<void> {
    let order = joined;
    const carry = (deliver: () => void) => {
      order = order
        .then(() => this.#passage())
        .then(() => {
          if (to.writable) deliver();
        });
    };
    from.on('data', (piece: Buffer) => carry(() => to.write(piece)));
    from.on('end', () => carry(() => to.end()));
    return () => order;
  }

  /** Resolves when a piece may pass. */
  async #passage(): Promise<void> {
    while (this.#condition === 'black-hole') await this.#changed.promise;
    if (typeof this.#condition === 'object') await wait(this.#condition.delay);
  }
}
