import { MemoryBudget } from './memory-budget.ts';

/** What clients may take of a socket. */
export interface SocketBounds {
  /** How long a client may take to say what it wants, in milliseconds. */
  requestTimeout: number;
  /** How many connections there may be at once; one more is refused at once, with nothing. */
  connections: number;
  /** What the requests of all clients take together, on both sockets. */
  memory: MemoryBudget;
}

/**
 * More connections than Git processes that run at once; with both sockets, no more than a system lets a process have. Each with
 * as long a request as there may be would be more memory than a service gets (service/systemd-units.ts), so what they say is
 * bounded together: for Git's requests, of some hundred bytes, there is room on all of them.
 */
export const bounds: SocketBounds = {
  requestTimeout: 5000,
  connections: 2048,
  memory: new MemoryBudget(64 * 1024 * 1024),
};
