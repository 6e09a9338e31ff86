/** What clients may take of a socket. */
export interface SocketBounds {
  /** How long a client may take to say what it wants, in milliseconds. */
  patience: number;
  /** How many connections there may be at once; one more is refused at once, with nothing. */
  connections: number;
}

/** More connections than Git processes that run at once; with both sockets, no more than a system lets a process have. */
export const bounds: SocketBounds = { patience: 5000, connections: 2048 };
