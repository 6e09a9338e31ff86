import { createServer, type Socket } from 'node:net';
import { asProblem, type Problem } from '../problem/problem.ts';
import { signInNeeded } from '../problem/sign-in-needed.ts';
import { prepareRuntimeFolder } from '../runtime-folder/check-folder.ts';
import { claim, listenPrivately, removeIfOurs } from '../runtime-folder/owned-socket.ts';
import { loginSocket } from '../runtime-folder/runtime-folder.ts';
import { Interrupted } from '../terminal/interrupt.ts';
import type { SignInPage } from './browser-flow.ts';

/** What those who wait for a sign-in are told, as one line of JSON each (read by follow.ts). */
export type Told = ({ state: 'page' } & SignInPage) | { state: 'done' } | { state: 'failed'; problem: unknown };

/** The sign-in that is ours to make, while others wait for it. */
export interface HeldLogin {
  /** Tells those who wait, now or later, the page to open. */
  page(page: SignInPage): void;
  /** Ends it well: there is a session. */
  done(): void;
  /** Ends it badly, with the reason. */
  failed(error: unknown): void;
}

/**
 * Takes the one turn to sign in that the processes of a user have: `login.sock`. Its owner is who listens behind it, so that
 * the kernel takes the turn away from a process that dies.
 *
 * @returns undefined when another process has it
 * @throws Problem as prepareRuntimeFolder and claim
 */
export async function holdLogin(env: NodeJS.ProcessEnv): Promise<HeldLogin | undefined> {
  const folder = prepareRuntimeFolder(env);
  const followers = new Set<Socket>();
  let told: Told | undefined;
  const server = createServer((socket) => {
    followers.add(socket);
    socket.on('close', () => followers.delete(socket));
    socket.on('error', () => {});
    // Nothing that a follower says is of interest.
    socket.resume();
    if (told) socket.write(line(told));
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

  const end = (last: Told) => {
    // Who comes from now on takes a turn of their own.
    removeIfOurs(owned);
    server.close();
    // A follower that has been stopped and does not read must not keep us.
    for (const socket of followers) socket.unref().end(line(last), () => socket.destroy());
  };
  return {
    page: ({ url, words }) => {
      told = { state: 'page', url, words };
      for (const socket of followers) socket.write(line(told));
    },
    done: () => end({ state: 'done' }),
    failed: (error) => end({ state: 'failed', problem: error instanceof Interrupted ? givenUp() : asProblem(error) }),
  };
}

function line(told: Told): string {
  return `${JSON.stringify(told)}\n`;
}

function givenUp(): Problem {
  return signInNeeded('login-given-up', 'The sign-in was given up.');
}
