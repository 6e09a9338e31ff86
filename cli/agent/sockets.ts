import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, readdirSync, renameSync, type Stats, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { join } from 'node:path';
import { Problem } from '../problem.ts';

/** A socket's name in the folder, and the inode that we put there: by it we tell ours from a later one of that name. */
export interface OwnedSocket {
  path: string;
  dev: number;
  ino: number;
}

/** As many waiting connections as the system allows: Git may start hundreds of processes at once. */
export const backlog = 4096;

/**
 * Listens under a private name, so that nobody can connect, or find us not listening yet, before the name is published.
 *
 * @returns the private path and its inode
 */
export async function listenPrivately(server: Server, folder: string): Promise<OwnedSocket> {
  const path = join(folder, `agent.${process.pid}.${randomBytes(4).toString('hex')}.sock`);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  chmodSync(path, 0o600);
  const { dev, ino } = lstatSync(path);
  return { path, dev, ino };
}

/**
 * Publishes a listening socket under a name that exactly one process can have: link(2) fails when the name is taken. A
 * name whose owner no longer listens (killed, machine rebooted) is taken over.
 *
 * @param socket from listenPrivately; its private name is gone afterwards, whatever comes of it
 * @param path the name
 * @returns the published socket, or undefined when another process listens there
 * @throws Problem `foreign-socket` when something is there that we neither made nor may touch
 */
export async function claim(socket: OwnedSocket, path: string): Promise<OwnedSocket | undefined> {
  try {
    // Each round fails only because another process moved at the same moment, so a few are plenty.
    for (let round = 0; round < 100; round++) {
      if (publish(socket.path, path)) return { ...socket, path };
      const there = lstatSync(path, { throwIfNoEntry: false });
      if (there === undefined) continue;
      checkOurs(there, path);
      if (await isListening(path)) return undefined;
      removeStale(path, there);
    }
    throw new Problem({
      kind: 'busy-socket',
      what: `The agent's socket is never at rest: ${path}`,
      why: 'Other processes keep making and removing it.',
      fix: 'Run `vouch agent status` to see whether an agent runs by now.',
    });
  } finally {
    removeIfOurs(socket);
  }
}

/** Puts a listening socket under a name that is ours already to give, in the place of whatever has it. */
export function replace(socket: OwnedSocket, path: string): OwnedSocket {
  renameSync(socket.path, path);
  return { ...socket, path };
}

/** Whether a name still leads to our socket. */
export function isOurs(socket: OwnedSocket): boolean {
  const there = lstatSync(socket.path, { throwIfNoEntry: false });
  return there !== undefined && there.ino === socket.ino && there.dev === socket.dev;
}

/** Removes a name if it still leads to our socket. Call it while we still listen: nobody takes a name over meanwhile. */
export function removeIfOurs(socket: OwnedSocket): void {
  if (isOurs(socket)) unlinkIfThere(socket.path);
}

/** Removes private names that killed agents have left behind. */
export function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^agent\.(\d+)\.[0-9a-f]{8}\.(?:sock|stale)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) unlinkIfThere(join(folder, name));
  }
}

function publish(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ENOSYS'].includes(code ?? '')) throw error;
    // A filesystem without hard links to sockets. Two starts in the same instant can then both succeed, and the earlier
    // one is left without a name: it never gets a session, and ends when it notices (serve.ts).
    if (lstatSync(to, { throwIfNoEntry: false })) return false;
    renameSync(from, to);
    return true;
  }
}

function checkOurs(there: Stats, path: string): void {
  const me = process.getuid?.();
  if (there.isSocket() && (me === undefined || there.uid === me)) return;
  throw new Problem({
    kind: 'foreign-socket',
    what: `Something that is not the agent's socket is in its place: ${path}`,
    why: there.isSocket() ? `It belongs to user ${there.uid}.` : 'It is not a socket.',
    fix: 'Look at what it is, remove it, and try again.',
  });
}

/** Whether somebody accepts connections there; ENOENT (just gone) and ECONNREFUSED (its owner is dead) say no. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      // EAGAIN: its queue is full, so it has one.
      else if (error.code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

/** Removes a name that nobody listens behind, but only if it is still the one that was tried. */
function removeStale(path: string, tried: Stats): void {
  const aside = join(path, '..', `agent.${process.pid}.${randomBytes(4).toString('hex')}.stale`);
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = lstatSync(aside, { throwIfNoEntry: false });
  if (moved && (moved.ino !== tried.ino || moved.dev !== tried.dev)) {
    // Another process published its own between our look and our rename: put it back.
    try {
      linkSync(aside, path);
    } catch {
      // A third one was quicker; then the second has lost its name, and ends when it notices.
    }
  }
  unlinkIfThere(aside);
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
