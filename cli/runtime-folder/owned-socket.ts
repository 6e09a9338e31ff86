import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../problem/problem.ts';
import { unusableFolder } from './check-folder.ts';
import { checkSocket } from './check-socket.ts';

/** A socket's name in the folder, and its inode, to tell it from a later socket with the same name. */
export interface OwnedSocket {
  path: string;
  dev: number;
  ino: number;
}

/** As many waiting connections as the system allows, because Git may start hundreds of processes at once. */
export const backlog = 4096;

/**
 * Listens under a private name, so that no client can connect before the name is published, or find a socket that does not listen
 * yet.
 *
 * @returns the private path and its inode
 * @throws Problem `folder` when no socket can be made there: the disk is full, or read-only
 */
export async function listenPrivately(server: Server, folder: string): Promise<OwnedSocket> {
  const path = join(folder, `agent.${process.pid}.${randomBytes(4).toString('hex')}.sock`);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(noSocket(folder, error));
    server.once('error', fail);
    server.listen({ path, backlog }, () => {
      server.off('error', fail);
      resolve();
    });
  });
  chmodSync(path, 0o600);
  const { dev, ino } = lstatSync(path);
  return { path, dev, ino };
}

/** How long to try while other processes keep taking the name over, in milliseconds. */
const claimTimeout = 10_000;

/** The pause while another process takes the name over, in milliseconds. */
const pause = 10;

/** How many locks on locks there may be. Each needs a process that was killed within the microseconds of holding the one before. */
const mostLocks = 9;

/**
 * Publishes a listening socket under a name that only one process can have: link(2) fails when the name is taken. A name whose
 * owner no longer listens (it was killed, or the machine was restarted) is taken over.
 *
 * @param socket from listenPrivately; its private name is gone afterwards in any case
 * @param path the name
 * @returns the published socket, or undefined when another process listens there
 * @throws Problem `foreign-socket` when the name belongs to something that is not ours; `busy-socket`
 */
export async function claim(socket: OwnedSocket, path: string): Promise<OwnedSocket | undefined> {
  const deadline = performance.now() + claimTimeout;
  try {
    while (performance.now() < deadline) {
      if (publish(socket.path, path)) return { ...socket, path };
      const owner = await ownerOf(path);
      if (owner === 'alive') return undefined;
      // If we could not remove it, another process is doing so.
      if (owner === 'dead' && !(await removeStale(socket, path))) await sleep(pause);
    }
    throw new Problem({
      kind: 'busy-socket',
      what: `The agent's socket keeps changing: ${path}`,
      why: 'Other processes keep making and removing it.',
      fix: 'Run `vouch agent status` to see whether an agent is running now.',
    });
  } finally {
    removeIfOurs(socket);
  }
}

/**
 * Removes a dead name, on which no process listens. Between the look at a name and its removal another process could put a living
 * socket there, so only the holder of a lock may remove one. The lock is the name `<path>.1`, and is published and found dead in
 * the same way. A name that the holder finds dead stays dead: the owner is gone, and nobody else may touch the name.
 *
 * @param socket our listening socket, so that other processes find that the lock is held
 * @returns whether we held the lock
 */
async function removeStale(socket: OwnedSocket, path: string, depth = 1): Promise<boolean> {
  const lock = `${path.replace(/\.\d$/, '')}.${depth}`;
  // If links are impossible, there are no locks either, see publish.
  if (link(socket.path, lock) === 'taken') {
    if (depth < mostLocks && (await ownerOf(lock)) === 'dead') await removeStale(socket, lock, depth + 1);
    return false;
  }
  try {
    // A free name is left alone, because another process may take it at this moment.
    if ((await ownerOf(path)) === 'dead') unlinkIfThere(path);
    return true;
  } finally {
    removeIfOurs({ ...socket, path: lock });
  }
}

/**
 * Finds out what a name leads to, by connecting to it.
 *
 * @throws Problem `foreign-socket`
 */
async function ownerOf(path: string): Promise<'alive' | 'dead' | 'none'> {
  if (!checkSocket(path)) return 'none';
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve('dead');
      // It has gone since.
      else if (error.code === 'ENOENT') resolve('none');
      // Its queue is full, so it listens.
      else if (error.code === 'EAGAIN') resolve('alive');
      else reject(error);
    });
  });
}

/** Gives a listening socket a name that is ours, and replaces whatever has it. */
export function replace(socket: OwnedSocket, path: string): OwnedSocket {
  renameSync(socket.path, path);
  return { ...socket, path };
}

/** Whether a name still leads to our socket. */
export function isOurs(socket: OwnedSocket): boolean {
  const there = lstatSync(socket.path, { throwIfNoEntry: false });
  return there !== undefined && there.ino === socket.ino && there.dev === socket.dev;
}

/**
 * Removes a name if it still leads to our socket. To be called while we still listen, because then no process takes the name
 * over.
 */
export function removeIfOurs(socket: OwnedSocket): void {
  if (isOurs(socket)) unlinkIfThere(socket.path);
}

/** Removes the private names that killed agents have left. */
export function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^agent\.(\d+)\.[0-9a-f]{8}\.sock$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) unlinkIfThere(join(folder, name));
  }
}

function publish(from: string, to: string): boolean {
  const linked = link(from, to);
  if (linked !== 'impossible') return linked === 'done';
  // Look, then rename. That fails only if two processes do it in the same instant: the first one then has no name, takes no
  // session, and ends when it notices (agent/serve.ts).
  if (lstatSync(to, { throwIfNoEntry: false })) return false;
  renameSync(from, to);
  return true;
}

/** Gives a socket a second name, unless that is taken. Impossible on a filesystem without hard links to sockets. */
function link(from: string, to: string): 'done' | 'taken' | 'impossible' {
  try {
    linkSync(from, to);
    return 'done';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return 'taken';
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ENOSYS'].includes(code ?? '')) return 'impossible';
    throw error;
  }
}

function noSocket(folder: string, cause: Error): Problem {
  const fix = 'Make room there, or set XDG_RUNTIME_DIR to another folder of yours, in your shell profile.';
  return unusableFolder(`No socket can be made in ${folder}`, cause, fix);
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
