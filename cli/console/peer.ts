import { readFileSync } from 'node:fs';

/** One end of a TCP connection over IPv4. */
export interface End {
  /** `127.0.0.1` */
  address: string;
  port: number;
}

/** Whether this system tells whose a connection of this machine is: Linux does. */
export function tellsUsers(): boolean {
  return sockets() !== undefined;
}

/**
 * The user whose program has the other end of a connection within this machine, from the kernel's list of sockets (proc_pid_net(5), "tcp").
 *
 * @param theirs the other end
 * @param ours our end
 * @param list the kernel's lists, for tests
 * @returns the user ID; undefined if there is no such connection, or the system does not tell
 */
export function userOfPeer(theirs: End, ours: End, list = sockets()): number | undefined {
  const [local, remote] = [hex(theirs), hex(ours)];
  for (const line of (list ?? '').split('\n')) {
    const [, ownEnd = '', otherEnd = '', state, , , , uid] = line.trim().split(/\s+/);
    // 01 is an established connection. A socket of IPv6 may have it too, with addresses like ::ffff:127.0.0.1.
    if (state === '01' && isEnd(ownEnd, local) && isEnd(otherEnd, remote)) return Number(uid);
  }
  return undefined;
}

function isEnd(found: string, expected: string): boolean {
  return found === expected || found === `0000000000000000FFFF0000${expected}`;
}

/** As the kernel writes it: the address as a number in the machine's order of bytes, which is little-endian wherever Node runs on Linux. */
function hex({ address, port }: End): string {
  const bytes = address.split('.').map(Number).reverse();
  const digits = (value: number, length: number) => value.toString(16).toUpperCase().padStart(length, '0');
  return `${bytes.map((byte) => digits(byte, 2)).join('')}:${digits(port, 4)}`;
}

function sockets(): string | undefined {
  try {
    return ['tcp', 'tcp6'].map((name) => readOptional(`/proc/net/${name}`, name === 'tcp')).join('');
  } catch {
    return undefined;
  }
}

/** Without IPv6 there is no list for it. */
function readOptional(path: string, needed: boolean): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (needed) throw error;
    return '';
  }
}
