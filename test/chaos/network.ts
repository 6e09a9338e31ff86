import { createServer, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Door } from '../aws/door.ts';

/** The current condition of a link. */
export type Condition =
  | 'up'
  /** Open connections are cut, new ones refused. */
  | 'down'
  /** Connections are accepted, but nothing gets through in either direction. It arrives when the link is up again. */
  | 'black-hole'
  /** The far end hangs up at once, but still listens; nothing that it sends arrives. */
  | 'half-closed'
  /** Every piece takes this many milliseconds longer in each direction. */
  | { delay: number };

/** A piece of network: a port on this machine that leads to another one, as far as its condition allows. */
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
    // If nothing listens on the target port, the client's connection breaks.
    far.on('error', () => client.resetAndDestroy());
    const joined = this.#passage().then(() => {
      if (!client.destroyed) far.connect(this.#target, '127.0.0.1');
    });
    this.#carry(client, far, joined);
    const answered = this.#carry(far, client, joined);
    far.once('close', () => answered().then(() => client.destroySoon()));
    // A client that gives up in a black hole is gone at once, so that the far end does not wait for it.
    client.once('end', () => this.#condition === 'black-hole' && client.destroy());
    if (this.#condition === 'half-closed') client.end();
  }

  /**
   * Carries data from one side to the other, piece by piece and in order, once they are joined.
   *
   * @returns a function whose promise resolves when all data so far has been carried
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
