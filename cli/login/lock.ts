import { createServer, type Socket } from 'node:net';
import { asProblem, type Problem } from '../problem/problem.ts';
import { signInNeeded } from '../problem/sign-in-needed.ts';
import { claim, listenPrivately, removeIfOurs } from '../runtime-folder/owned-socket.ts';
import { prepareRuntimeFolder } from '../runtime-folder/prepare-folder.ts';
import { loginSocket } from '../runtime-folder/runtime-folder.ts';
import { Interrupted } from '../terminal/interrupt.ts';
import type { SignInPage } from './browser-flow.ts';

/** The messages to the followers of a sign-in, one line of JSON each (follow-other-login.ts reads it). */
export type LoginMessage = ({ state: 'page' } & SignInPage) | { state: 'done' } | { state: 'failed'; problem: unknown };

/** A sign-in that this process makes, while others may follow it. */
export interface HeldLogin {
  /** Sends the page to present and future followers. */
  page(page: SignInPage): void;
  /** Ends it with a session. */
  done(): void;
  /** Ends it without a session, with the reason. */
  failed(error: unknown): void;
}

/**
 * Takes the lock of a user's sign-ins, `login.sock`. The lock belongs to the process that listens on this socket, so the kernel
 * frees the lock when the process dies.
 *
 * @returns undefined when another process has the lock
 * @throws Problem as prepareRuntimeFolder and claim
 */
export async function holdLogin(env: NodeJS.ProcessEnv): Promise<HeldLogin | undefined> {
  const folder = prepareRuntimeFolder(env);
  const followers = new Set<Socket>();
  let latest: LoginMessage | undefined;
  const server = createServer((socket) => {
    followers.add(socket);
    socket.on('close', () => followers.delete(socket));
    socket.on('error', () => {});
    // Input from a follower is ignored.
    socket.resume();
    if (latest) socket.write(line(latest));
  });
  server.maxConnections = 2048;
  const owned = await listenPrivately(server, folder)
    .then((socket) => claim(socket, loginSocket(env, folder)))
    .catch((error: unknown) => {
      server.close();
      throw error;
    });
  if (owned === undefined) {
    server.close();
    return undefined;
  }

  const end = (last: LoginMessage) => {
    // A process that comes later takes the lock itself.
    removeIfOurs(owned);
    server.close();
    // A follower that was stopped and does not read must not keep us from ending.
    for (const socket of followers) socket.unref().end(line(last), () => socket.destroy());
  };
  return {
    page: ({ url, words }) => {
      latest = { state: 'page', url, words };
      for (const socket of followers) socket.write(line(latest));
    },
    done: () => end({ state: 'done' }),
    failed: (error) => end({ state: 'failed', problem: error instanceof Interrupted ? givenUp() : asProblem(error) }),
  };
}

function line(message: LoginMessage): string {
  return `${JSON.stringify(message)}\n`;
}

function givenUp(): Problem {
  return signInNeeded('login-given-up', 'The sign-in was given up.');
}
