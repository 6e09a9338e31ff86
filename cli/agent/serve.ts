import type { Server } from 'node:net';
import { join } from 'node:path';
import { prepareRuntimeFolder } from '../runtime-folder/check-folder.ts';
import { claim, isOurs, listenPrivately, removeIfOurs, replace, sweep } from '../runtime-folder/owned-socket.ts';
import { removePidFile, writePidFile } from '../runtime-folder/pid-file.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { CodeCommit } from './codecommit.ts';
import { type GivenSockets, listenOnGiven } from './sockets/activation.ts';
import { bounds, type SocketBounds } from './sockets/bounds.ts';
import { createGitServer } from './sockets/git-socket.ts';
import { createHttpServer, type Presence } from './sockets/http-socket.ts';

export interface ServeOptions extends AgentOptions, Partial<SocketBounds> {
  /** How often the agent looks whether it should end or renew something, in milliseconds. It is only a hint: see Agent. */
  interval?: number;
  /** Sockets to listen on whose names are somebody else's, see takeGivenSockets; otherwise it makes its own. */
  given?: GivenSockets | undefined;
}

/** An agent that listens. */
export interface RunningAgent {
  agent: Agent;
  codecommit: CodeCommit;
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
  const codecommit = new CodeCommit(agent);
  let left = false;
  const allowed: SocketBounds = { ...bounds, ...options };
  const presence: Presence = {
    leave: () => leave(),
    // The name is looked at as well: the folder may have been wiped, and the name be another agent's by now.
    canServe: () => !left && isOurs(agentSocket),
  };
  const http = createHttpServer(agent, codecommit, presence, allowed);
  const git = createGitServer((request) => codecommit.answerQuickly(request), allowed);
  const names = await listen(http, git, folder, options.given).catch((error: unknown) => {
    http.close();
    git.close();
    throw error;
  });
  if (names === undefined) return undefined;
  const { agentSocket, gitSocket } = names;
  writePidFile(folder);

  const { promise: ended, resolve } = Promise.withResolvers<void>();
  /** Gives the names up and lets answers under way finish. */
  const leave = () => {
    if (left) return;
    left = true;
    clearInterval(timer);
    // In this order: as long as agent.sock is ours and answers, nobody else puts a git.sock there.
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
    void agent.renewDue();
  }, options.interval ?? 30_000);
  /**
   * An agent that has lost its name can be reached by nobody, so it keeps secrets for nobody, and the server need not keep the
   * session: systemd's logind wipes the folder when the last session of its user has ended.
   */
  const lost = () => {
    clearInterval(timer);
    void agent.logOut().finally(end);
  };
  timer.unref();

  return { agent, codecommit, ended, end };
}

/**
 * Has both servers listen, under the agent's names if they are free. As soon as agent.sock is listened on it may be asked, so that
 * is the last thing that is waited for.
 *
 * @returns undefined when another agent has them; then both servers are closed: one that still listens would keep the process
 *   alive, reachable by nobody
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
  // Who has agent.sock owns the folder's other names too.
  const gitSocket = replace(gits, gitPath);
  sweep(folder);
  return { agentSocket, gitSocket };
}
