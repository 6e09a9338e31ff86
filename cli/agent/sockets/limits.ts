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
 * Enough connections for all Git processes at once, and for both sockets below the system's limit of open files. Requests share
 * one memory budget, because this many of the longest would exceed the service's limit (service/systemd-units.ts). The budget is
 * enough for a usual request, of some hundred bytes, on every connection.
 */
export const usualLimits: SocketLimits = {
  requestTimeout: 5000,
  connections: 2048,
  memory: new MemoryBudget(64 * 1024 * 1024),
};
