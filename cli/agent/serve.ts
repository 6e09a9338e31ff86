import { join } from 'node:path';
import { prepareRuntimeFolder } from '../paths.ts';
import { type GivenSockets, listenOnGiven } from './activation.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { createGitServer, type GitSocketOptions } from './git-socket.ts';
import { createHttpServer } from './http-socket.ts';
import { claim, isOurs, listenPrivately, type OwnedSocket, removeIfOurs, replace, sweep } from './sockets.ts';

export interface ServeOptions extends AgentOptions, GitSocketOptions {
  /** How often the agent looks whether it should end or renew something, in milliseconds. It is only a hint: see Agent. */
  interval?: number;
  /** Sockets to listen on whose names are somebody else's, see takeGivenSockets; otherwise it makes its own. */
  given?: GivenSockets | undefined;
}

/** An agent that listens. */
export interface RunningAgent {
  agent: Agent;
  /** Settles when the agent has ended, for whatever reason. */
  ended: Promise<void>;
  /** Ends it: forgets everything, removes its sockets, and closes. */
  end(): void;
}

/**
 * Runs an agent on its two sockets.
 *
 * @returns undefined when another agent runs already
 * @throws Problem when the folder or a socket cannot be used, see prepareRuntimeFolder and claim
 */
export async function serve(options: ServeOptions): Promise<RunningAgent | undefined> {
  const folder = prepareRuntimeFolder(options.env);
  const agent = new Agent(options);
  const http = createHttpServer(agent, () => leave());
  const git = createGitServer((request) => agent.answerGitQuickly(request), options);

  let agentSocket: OwnedSocket | undefined;
  let gitSocket: OwnedSocket;
  try {
    if (options.given) {
      agentSocket = await listenOnGiven(http, options.given.agent, join(folder, 'agent.sock'));
      gitSocket = await listenOnGiven(git, options.given.git, join(folder, 'git.sock'));
    } else {
      agentSocket = await claim(await listenPrivately(http, folder), join(folder, 'agent.sock'));
      if (agentSocket === undefined) {
        http.close();
        return undefined;
      }
      // Who has agent.sock owns the folder's other names too.
      gitSocket = replace(await listenPrivately(git, folder), join(folder, 'git.sock'));
      sweep(folder);
    }
  } catch (error) {
    if (agentSocket && !options.given) removeIfOurs(agentSocket);
    // A server that still listens would keep the process alive, reachable by nobody.
    http.close();
    git.close();
    throw error;
  }
  const owned = agentSocket;

  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let left = false;
  /** Gives the names up and lets answers under way finish. */
  const leave = () => {
    if (left) return;
    left = true;
    clearInterval(timer);
    // In this order: as long as agent.sock is ours and answers, nobody else puts a git.sock there.
    if (!options.given) {
      removeIfOurs(gitSocket);
      removeIfOurs(owned);
    }
    let open = 2;
    const closed = () => --open === 0 && resolve();
    git.close(closed);
    http.close(closed);
    http.closeIdleConnections();
  };
  const end = () => {
    agent.close();
    leave();
    http.closeAllConnections();
    resolve();
  };
  const timer = setInterval(() => {
    // An agent that has lost its name (the folder was wiped) can be reached by nobody, so it keeps secrets for nobody.
    if (agent.done || !isOurs(owned)) return end();
    void agent.renewDue();
  }, options.interval ?? 30_000);
  timer.unref();

  return { agent, ended, end };
}
