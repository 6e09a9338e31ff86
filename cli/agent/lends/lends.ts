import { randomBytes } from 'node:crypto';
import { Problem } from '../../problem/problem.ts';
import type { Agent } from '../agent.ts';
import type { EndedLend, Lend, LendEnd, LendEnded, NewLend } from '../protocol/lends.ts';
import type { Lender } from '../sockets/lend-routes.ts';
import type { SocketLimits } from '../sockets/limits.ts';
import { fenceProfiles } from './fenced-profile.ts';
import { sweepLends } from './lend-folder.ts';
import { OpenLend } from './open-lend.ts';

/** More than a person lends at once: each has a socket, and connections. */
const mostLends = 32;

/** The lends of an agent. They are in memory alone, and each ends with its time, when it is asked to, or with the session. */
export class Lends implements Lender {
  readonly #agent: Agent;
  readonly #folder: string;
  readonly #limits: Pick<SocketLimits, 'requestTimeout'>;
  readonly #open = new Map<string, OpenLend>();
  readonly #starting = new Set<string>();

  /** @param folder the runtime folder */
  constructor(agent: Agent, folder: string, limits: Pick<SocketLimits, 'requestTimeout'>) {
    this.#agent = agent;
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Removes what a killed agent has left. To be called once the runtime folder's names are this agent's. */
  removeLeftovers(): void {
    sweepLends(this.#folder);
  }

  /**
   * Opens a lend. The profiles are resolved now, once.
   *
   * @param onEnd called when it is over
   * @throws Problem `lend-exists`, `too-many-lends`; as Agent.profiles, fenceProfiles, Agent.lend and OpenLend.listen
   */
  async start(asked: NewLend, onEnd: (ended: LendEnded) => void): Promise<Lend> {
    this.endOver();
    const name = asked.name ?? randomBytes(3).toString('hex');
    if (this.#open.has(name) || this.#starting.has(name)) throw exists(name);
    if (this.#open.size + this.#starting.size >= mostLends) throw tooMany();
    this.#starting.add(name);
    try {
      const profiles = fenceProfiles(await this.#agent.profiles(asked.config), asked);
      const lend = new OpenLend({
        name,
        asked,
        profiles,
        agent: this.#agent,
        runtimeFolder: this.#folder,
        limits: this.#limits,
        onEnd: (ended) => {
          if (this.#open.get(name) === lend) this.#open.delete(name);
          onEnd(ended);
        },
      });
      await lend.listen();
      this.#open.set(name, lend);
      return lend.view({ withToken: true });
    } finally {
      this.#starting.delete(name);
    }
  }

  /** The lends that are open, the oldest first. */
  list(): Lend[] {
    this.endOver();
    return [...this.#open.values()].map((lend) => lend.view());
  }

  /**
   * Ends a lend.
   *
   * @throws Problem `lend-unknown`
   */
  end(name: string, why: LendEnd = 'asked'): EndedLend {
    this.endOver();
    const lend = this.#open.get(name);
    if (lend === undefined) throw unknown(name, [...this.#open.keys()]);
    const { awsUntil } = lend.end(why);
    return { name, awsUntil };
  }

  /** Ends those whose time is up. Their timers may have slept with the machine. */
  endOver(): void {
    for (const lend of this.#open.values()) if (lend.over) lend.end('time');
  }

  /** Ends them all: for the end of the process. */
  endAll(): void {
    for (const lend of this.#open.values()) lend.end('agent');
  }
}

function exists(name: string): Problem {
  return new Problem({
    kind: 'lend-exists',
    what: `There is a lend "${name}" already.`,
    fix: `Take another name, or end that one: \`vouch lend end ${name}\`.`,
  });
}

function tooMany(): Problem {
  return new Problem({
    kind: 'too-many-lends',
    what: `There are ${mostLends} lends already.`,
    fix: 'End some of them: `vouch lend list` shows them, and `vouch lend end NAME` ends one.',
  });
}

function unknown(name: string, known: readonly string[]): Problem {
  return new Problem({
    kind: 'lend-unknown',
    what: `There is no lend "${name}".`,
    why: known.length === 0 ? 'Nothing is lent.' : `The lends are: ${known.join(', ')}.`,
  });
}
