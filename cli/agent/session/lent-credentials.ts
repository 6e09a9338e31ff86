import { Problem } from '../../problem/problem.ts';
import { CredentialSupply, type CredentialSupplyOptions, type CredentialsOptions } from './credential-supply.ts';
import type { Clocks, Expiry } from './expiry.ts';
import type { HeldCredentials } from './held-credentials.ts';
import { Lifetime } from './lifetime.ts';
import { RoleAssumer, type RoleAssumerOptions } from './role-assumer.ts';
import { keyOf, type RoleChain } from './role-chain.ts';

export type LentCredentialsOptions = Omit<
  RoleAssumerOptions & CredentialSupplyOptions,
  'lifetime' | 'assumer' | 'lent'
>;

/**
 * The AWS credentials of one lend. They have a cache of their own: the person's own credentials never fence anything, so they are never
 * given here, and what is asked here pushes none of theirs out. This holds for the roles on the way to a chained one, too, because their
 * sessions carry the lend's tag on.
 */
export class LentCredentials {
  /** Dropped with the lend, and with the session. */
  readonly lifetime: Lifetime;
  readonly #supply: CredentialSupply;
  readonly #onRefused: (why: Problem) => void;
  readonly #clocks: Clocks;
  readonly #failures = new Map<string, { error: Problem; at: number }>();

  /**
   * @param name the lend's, which the server's tokens for it tell AWS
   * @param expiresAt in milliseconds since 1970
   */
  constructor(name: string, expiresAt: number, options: LentCredentialsOptions) {
    this.lifetime = new Lifetime(expiresAt, options.clocks, (end) => lendOver(name, end));
    const own = { ...options, lifetime: this.lifetime };
    this.#supply = new CredentialSupply({ ...own, assumer: new RoleAssumer({ ...own, lent: name }) });
    this.#onRefused = options.onRefused;
    this.#clocks = options.clocks;
  }

  /**
   * Makes something of credentials for a fenced role. If the lend ends meanwhile, the result is thrown away.
   *
   * @throws Problem `lend-over`; as RoleAssumer.assume
   */
  async use<T>(
    chain: RoleChain & { policy: string },
    options: CredentialsOptions,
    make: (credentials: HeldCredentials) => T | Promise<T>,
  ): Promise<T> {
    this.lifetime.check();
    const held = await this.#obtain(chain, options);
    const made = await make(held);
    this.lifetime.check();
    return made;
  }

  /**
   * A failure is repeated for a while, without asking, the longer the more roles fail: whoever has the socket must not use up what the
   * server allows the session.
   */
  async #obtain(chain: RoleChain, options: CredentialsOptions): Promise<HeldCredentials> {
    const key = keyOf(chain);
    const known = this.#failures.get(key);
    const pause = known ? pauseAfter(known.error) * this.#failures.size : 0;
    if (known && this.#clocks.uptime() - known.at < pause) throw known.error;
    try {
      const held = await this.#supply.use(chain, options);
      this.#failures.delete(key);
      return held;
    } catch (error) {
      if (error instanceof Problem) this.#failures.set(key, { error, at: this.#clocks.uptime() });
      if (error instanceof Problem && error.kind === 'session-over') this.#onRefused(error);
      throw error;
    }
  }

  /** See Session.renewDue. */
  renewDue(): Promise<void> {
    return this.#supply.renewDue();
  }

  /** Gives up what is under way, and keeps nothing. */
  drop(): void {
    this.lifetime.drop();
    this.#supply.drop();
  }
}

/** In milliseconds. */
const pauseAfter = ({ category }: Problem) => (category === 'unreachable' ? 5000 : 30_000);

function lendOver(name: string, end: Expiry): Problem {
  return new Problem({
    kind: 'lend-over',
    what: `The lend "${name}" ended at ${end.clockTime}.`,
    fix: 'Lend again on the machine that has the session.',
  });
}
