import { fstatSync, lstatSync, readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { Problem } from '../../problem/problem.ts';
import { backlog, type OwnedSocket } from '../../runtime-folder/owned-socket.ts';

/** Socket activation (sd_listen_fds(3)): systemd holds our sockets, and starts us with them when a client connects. */
export interface GivenSockets {
  /** The descriptor of agent.sock. */
  agent: number;
  /** The descriptor of git.sock. */
  git: number;
}

/** The first descriptor that is given (SD_LISTEN_FDS_START). */
const first = 3;

/**
 * The sockets that we were started with. Removes the variables, so that child processes do not see them.
 *
 * @returns undefined when we were started without any
 * @throws Problem `given-sockets` when there are not two
 */
export function takeGivenSockets(env: NodeJS.ProcessEnv): GivenSockets | undefined {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) delete env[name];
  // Another process may have left us variables about descriptors of its own.
  if (count === undefined || pid !== String(process.pid)) return undefined;
  if (count !== '2') throw notGiven(`There should be 2, and there are ${count}.`);
  // In the order of the socket unit (service/systemd-units.ts).
  return { agent: first, git: first + 1 };
}

/**
 * Has a server accept the connections of a socket that we were given. The socket's name belongs to systemd, and stays when we
 * end.
 *
 * @param path the name that the socket must have
 * @throws Problem `given-sockets` when the descriptor is not a listening socket of that name
 */
export async function listenOnGiven(server: Server, descriptor: number, path: string): Promise<OwnedSocket> {
  check(descriptor, path);
  const { dev, ino } = lstatSync(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd: descriptor, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { path, dev, ino };
}

/** The flag of a socket that listens (__SO_ACCEPTCON in Linux's include/linux/net.h). */
const accepting = 0x10000;

function check(descriptor: number, path: string): void {
  const { ino } = fstatSync(descriptor);
  // Columns: number, references, protocol, flags, type, state, inode, and the path (proc_pid_net(5)).
  const row = /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (.+)$/;
  for (const line of readFileSync('/proc/self/net/unix', 'utf8').split('\n')) {
    const [, flags = '', inode, bound] = row.exec(line) ?? [];
    if (Number(inode) !== ino) continue;
    if (bound !== path) throw notGiven(`One of them is ${bound}, and it should be ${path}.`);
    if ((Number.parseInt(flags, 16) & accepting) === 0) throw notGiven(`Nobody listens on ${path}.`);
    return;
  }
  throw notGiven(`Descriptor ${descriptor} is not a socket with a name.`);
}

function notGiven(why: string): Problem {
  const what = 'The agent was started with other sockets than its own.';
  const fix = 'Run `vouch agent install`, which writes the units of systemd again.';
  return new Problem({ kind: 'given-sockets', what, why, fix });
}
