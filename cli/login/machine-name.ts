import { hostname } from 'node:os';

/** This machine's name as the server's pages show it; what the server would refuse in it is not worth a failed sign-in. */
export function machineName(): string {
  return hostname().replace(/\p{C}/gu, '').slice(0, 64);
}
