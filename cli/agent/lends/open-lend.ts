import type { Server, Socket } from 'node:net';
import type { Agent } from '../agent.ts';
import { reasonOf } from '../log.ts';
import type { Lend, LendEnd, LendEnded, NewLend } from '../protocol/lends.ts';
import type { LentCredentials } from '../session/lent-credentials.ts';
import { createGitServer } from '../sockets/git-sock.ts';
import type { SocketLimits } from '../sockets/limits.ts';
import { MemoryBudget } from '../sockets/memory-budget.ts';
import { AwsEndpoint } from './aws-endpoint.ts';
import type { FencedProfile } from './fenced-profile.ts';
import { LendFolder } from './lend-folder.ts';
import { LentCodeCommit } from './lent-codecommit.ts';

/** How much the clients of one lend may use. Theirs are apart, so that they cannot keep the person's own Git from the agent. */
const [connections, memory] = [256, 2 * 1024 * 1024];

/** The longest time that a timer of Node waits, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

export interface OpenLendOptions {
  name: string;
  asked: NewLend;
  profiles: readonly FencedProfile[];
  agent: Agent;
  runtimeFolder: string;
  limits: Pick<SocketLimits, 'requestTimeout'>;
  /** Called once, when it is over. */
  onEnd: (ended: LendEnded) => void;
}

/** One lend: its credentials, and the sockets that give them out. */
export class OpenLend {
  readonly #options: OpenLendOptions;
  readonly #folder: LendFolder;
  readonly #credentials: LentCredentials;
  readonly #codecommit: LentCodeCommit;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #aws: AwsEndpoint | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended: LendEnded | undefined;

  /** @throws Problem `socket-path`; as Agent.lend */
  constructor(options: OpenLendOptions) {
    const { name, asked, profiles, agent, limits } = options;
    this.#options = options;
    this.#folder = new LendFolder(options.runtimeFolder, name);
    this.#credentials = agent.lend(name, agent.clocks.now() + asked.seconds * 1000);
    this.#codecommit = new LentCodeCommit({ name, profiles, credentials: this.#credentials, agent });
    const own = { ...limits, connections, memory: new MemoryBudget(memory) };
    this.#server = createGitServer((request) => this.#codecommit.answer(request), own);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#aws = asked.aws ? new AwsEndpoint(() => this.#codecommit.reveal(), own) : undefined;
  }

  /** Whether its time is up. */
  get over(): boolean {
    return this.#credentials.lifetime.end.over;
  }

  /**
   * Begins to listen, and makes sure that AWS gives what is lent.
   *
   * @throws Problem `folder`; what ended the lend meanwhile; as LentCodeCommit.prepare
   */
  async listen(): Promise<void> {
    const { name, asked, agent, profiles } = this.#options;
    const { lifetime } = this.#credentials;
    lifetime.signal.addEventListener('abort', () => this.end('session'), { once: true });
    try {
      await this.#folder.listen(this.#server);
      await this.#aws?.listen();
      await this.#codecommit.prepare();
      lifetime.check();
    } catch (error) {
      agent.log.add('failed', `the lend "${name}" did not begin: ${reasonOf(error)}`);
      this.end('agent');
      throw error;
    }
    this.#timer = setTimeout(() => this.end('time'), Math.min(lifetime.end.left, longestTimer));
    this.#timer.unref();
    const roles = profiles.map(({ role }) => role.arn).join(', ');
    const what = [asked.pullOnly ? 'pull only' : '', asked.repos.join(' ') || 'every repository'].filter(Boolean);
    agent.log.add('lend', `"${name}" until ${lifetime.end.clockTime}, of ${roles}: ${what.join(', ')}`);
  }

  /** @param withToken whether with the endpoint's token, which only the lend's opener gets */
  view({ withToken = false } = {}): Lend {
    const { name, asked, profiles } = this.#options;
    const endpoint = this.#aws;
    return {
      name,
      profiles: profiles.map((profile) => ({ profile: profile.name, role: profile.role.arn })),
      repos: asked.repos,
      branches: asked.branches,
      pullOnly: asked.pullOnly,
      until: new Date(this.#credentials.lifetime.end.at).toISOString(),
      folder: this.#folder.path,
      gitSocket: this.#folder.gitSocket,
      awsEndpoint: endpoint === undefined ? null : { url: endpoint.url, ...(withToken && { token: endpoint.token }) },
      tied: asked.tied,
      awsUntil: this.#awsUntil(),
    };
  }

  /** Ends it: nothing of it answers any more, and its credentials are wiped. The second time it does nothing. */
  end(why: LendEnd): LendEnded {
    if (this.#ended) return this.#ended;
    this.#ended = { ended: why, awsUntil: this.#awsUntil() };
    clearTimeout(this.#timer);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#aws?.close();
    this.#credentials.drop();
    this.#folder.remove();
    const { name, agent, onEnd } = this.#options;
    if (this.#timer) agent.log.add('ended', `the lend "${name}": ${reasons[why]}`);
    onEnd(this.#ended);
    return this.#ended;
  }

  #awsUntil(): string | null {
    const until = this.#codecommit.givenUntil;
    return until === undefined ? null : new Date(until).toISOString();
  }
}

const reasons: Readonly<Record<LendEnd, string>> = {
  time: 'its time is up',
  asked: 'at your request',
  closed: 'the command that opened it is gone',
  session: 'the session is over',
  agent: 'the agent ends',
};
