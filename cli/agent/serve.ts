import type { Server } from 'node:net';
import { join } from 'node:path';
import { claim, isOurs, listenPrivately, removeIfOurs, replace, sweep } from '../runtime-folder/owned-socket.ts';
import { removePidFile, writePidFile } from '../runtime-folder/pid-file.ts';
import { prepareRuntimeFolder } from '../runtime-folder/prepare-folder.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { Lends } from './lends/lends.ts';
import { CodeCommit } from './services/codecommit.ts';
import { createHttpServer } from './sockets/agent-sock.ts';
import { createGitServer } from './sockets/git-sock.ts';
import { type SocketLimits, usualLimits } from './sockets/limits.ts';
import type { Presence } from './sockets/routes.ts';
import { type GivenSockets, listenOnGiven } from './sockets/systemd-sockets.ts';

export interface ServeOptions extends AgentOptions, Partial<SocketLimits> {
  /** How often the agent checks whether to end, or to renew something, in milliseconds. Any interval is correct; see Agent. */
  interval?: number;
  /** Sockets that systemd gave us, see takeGivenSockets; by default the agent makes its own. */
  given?: GivenSockets | undefined;
}

/** An agent that listens. */
export interface RunningAgent {
  agent: Agent;
  codecommit: CodeCommit;
  /** Settles when the agent has ended. */
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
  const codecommit = new CodeCommit(agent);
  let left = false;
  const allowed: SocketLimits = { ...usualLimits, ...options };
  const lends = new Lends(agent, folder, allowed);
  const presence: Presence = {
    leave: () => leave(),
    // The name is checked as well: the folder may have been wiped, and another agent may have the name by now.
    canServe: () => !left && isOurs(agentSocket),
  };
  const http = createHttpServer(agent, codecommit, lends, presence, allowed);
  const git = createGitServer((request) => codecommit.answerQuickly(request), allowed);
  const names = await listen(http, git, folder, options.given).catch((error: unknown) => {
    http.close();
    git.close();
    throw error;
  });
  if (names === undefined) return undefined;
  const { agentSocket, gitSocket } = names;
  writePidFile(folder);
  lends.removeLeftovers();

  const { promise: ended, resolve } = Promise.withResolvers<void>();
  /** Gives up the names, and lets the answers under way finish. */
  const leave = () => {
    if (left) return;
    left = true;
    clearInterval(timer);
    lends.endAll();
    // In this order: as long as agent.sock is ours and answers, no other agent makes a git.sock.
    removePidFile(folder);
    if (!options.given) {
      removeIfOurs(gitSocket);
      removeIfOurs(agentSocket);
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
    if (agent.done) return end();
    if (!isOurs(agentSocket)) return lost();
    lends.endOver();
    void agent.renewDue();
  }, options.interval ?? 30_000);
  /**
   * Nobody can reach an agent that has lost its name, so its secrets are of no use, and the server need not keep the session.
   * This happens when systemd's logind wipes the folder, after the last login session of its user.
   */
  const lost = () => {
    clearInterval(timer);
    void agent.logOut().finally(end);
  };
  timer.unref();

  return { agent, codecommit, ended, end };
}

/**
 * Makes both servers listen, under the agent's names if they are free. Nothing is awaited once agent.sock listens under its name,
 * because clients may ask from that moment.
 *
 * @returns undefined when another agent has the names. Both servers are closed then: one that still listens would keep the process
 *   alive, and nobody could reach it
 */
async function listen(http: Server, git: Server, folder: string, given: GivenSockets | undefined) {
  const [agentPath, gitPath] = [join(folder, 'agent.sock'), join(folder, 'git.sock')];
  if (given) {
    const gitSocket = await listenOnGiven(git, given.git, gitPath);
    return { agentSocket: await listenOnGiven(http, given.agent, agentPath), gitSocket };
  }
  const [agent, gits] = [await listenPrivately(http, folder), await listenPrivately(git, folder)];
  const agentSocket = await claim(agent, agentPath);
  if (agentSocket === undefined) {
    http.close();
    git.close();
    return undefined;
  }
  // The owner of agent.sock owns the folder's other names too.
  const gitSocket = replace(gits, gitPath);
  sweep(folder);
  return { agentSocket, gitSocket };
}
