import { MemoryBudget } from './memory-budget.ts';

/** How much clients may use of a socket. */
export interface SocketLimits {
  /** How long a client may take to send its request, in milliseconds. */
  requestTimeout: number;
  /** How many connections there may be at once. One more is closed at once, without an answer. */
  connections: number;
  /** For the requests of all clients together, on both sockets. */
  memory: MemoryBudget;
}

/**
 * More connections than the Git processes that run at once, but for both sockets no more than a system allows a process. If each
 * sent the longest request, that would be more memory than a service gets (service/systemd-units.ts). So all requests share a
 * budget, which is enough for Git's, of some hundred bytes, on every connection.
 */
export const usualLimits: SocketLimits = {
  requestTimeout: 5000,
  connections: 2048,
  memory: new MemoryBudget(64 * 1024 * 1024),
};
