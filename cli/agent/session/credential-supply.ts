import type { AwsCredentials } from '../../aws/credentials.ts';
import { Problem } from '../../problem/problem.ts';
import { type Log, reasonOf } from '../log.ts';
import { CredentialCache, type Entry } from './credential-cache.ts';
import type { Clocks } from './expiry.ts';
import { HeldCredentials } from './held-credentials.ts';
import type { Lifetime } from './lifetime.ts';
import { RenewalSchedule } from './renewal-schedule.ts';
import type { RoleAssumer } from './role-assumer.ts';
import { keyOf, type RoleChain } from './role-chain.ts';
import { SingleFlight } from './single-flight.ts';
import type { Timeouts } from './timeouts.ts';

/**
 * AWS credentials with less left than this, in milliseconds, are given out only when no others can be obtained.
 *
 * CodeCommit checks a password only when a request begins. Git's last request begins within a minute of asking for the password
 * (when a push packs much first). So credentials are useful while one minute is left. Renewal starts ten minutes before the end,
 * so it has nine minutes before anyone must wait.
 */
const leastLeft = 60_000;

/**
 * Credentials that end at most this long before the session, in milliseconds, count as lasting to its end: STS counts in seconds,
 * by its own clock.
 */
const rounding = 10_000;

export interface CredentialsOptions {
  /** The region whose STS is asked. By default credentials from any region will do, because they are valid in all regions. */
  region?: string | undefined;
  /** Asks AWS even if the cache has credentials, and asks only once, so that the caller gets AWS's answer of now. */
  fresh?: boolean;
  /** The longest wait, in milliseconds; not more than Timeouts.request. */
  within?: number;
}

export interface CredentialSupplyOptions {
  assumer: RoleAssumer;
  lifetime: Lifetime;
  clocks: Clocks;
  timeouts: Timeouts;
  log: Log;
  /** Called when the server refuses the session and no caller asked: during a renewal, or by an event. */
  onRefused: (why: Problem) => void;
}

/** The AWS credentials of one session: from the cache, or new ones, and their renewal ahead of time. */
export class CredentialSupply {
  readonly #options: CredentialSupplyOptions;
  readonly #cache = new CredentialCache();
  readonly #flights = new SingleFlight<Entry>();

  constructor(options: CredentialSupplyOptions) {
    this.#options = options;
  }

  /**
   * Credentials for a role, for use now.
   *
   * @throws Problem as RoleAssumer.assume; `aws-unreachable` when the new credentials have already ended; `too-late`
   */
  async use(chain: RoleChain, options: CredentialsOptions): Promise<HeldCredentials> {
    const entry = await this.#obtain(chain, options);
    entry.schedule.used(this.#options.clocks.now());
    void this.#renewIfDue(entry);
    return entry.credentials;
  }

  /** The entries in the cache. */
  all(): Entry[] {
    return this.#cache.all();
  }

  /** See Session.renewDue. */
  async renewDue(): Promise<void> {
    await Promise.all(this.#cache.all().map((entry) => this.#renewIfDue(entry)));
  }

  drop(): void {
    this.#cache.drop();
  }

  async #obtain(chain: RoleChain, { region, fresh = false, within }: CredentialsOptions): Promise<Entry> {
    const key = keyOf(chain);
    const cached = fresh ? undefined : this.#cache.find(key, region);
    if (cached && this.#isOfUse(cached)) return cached;
    try {
      return await this.#fetchOnce(chain, {
        region: region ?? chain.role.partition.defaultRegion,
        fresh,
        within: fresh ? 0 : Math.min(within ?? this.#options.timeouts.request, this.#timeoutWith(cached)),
      });
    } catch (error) {
      // While the server or STS is down, credentials that end soon are better than none.
      const left = fresh ? undefined : this.#cache.find(key, region);
      if (left === undefined || !isDown(error)) throw error;
      return left;
    }
  }

  /** How long to wait for new credentials, in milliseconds: the cached ones must still be usable afterwards. */
  #timeoutWith(cached: Entry | undefined): number {
    if (cached === undefined) return Number.POSITIVE_INFINITY;
    return Math.min(this.#options.timeouts.replacement, cached.credentials.expiry.left / 2);
  }

  #isOfUse(entry: Entry): boolean {
    return entry.credentials.expiry.left > leastLeft || this.#lastsTheSession(entry);
  }

  #lastsTheSession({ credentials }: Entry): boolean {
    return credentials.expiration > this.#options.lifetime.end.at - rounding;
  }

  async #renewIfDue(entry: Entry): Promise<void> {
    const { clocks, lifetime } = this.#options;
    if (entry.renewing) return entry.renewing;
    if (lifetime.end.over || lifetime.signal.aborted) return;
    if (this.#lastsTheSession(entry) || !entry.schedule.isDue(clocks.now())) return;
    entry.renewing = this.#renew(entry);
    await entry.renewing;
    entry.renewing = undefined;
  }

  /** Tries once, because RenewalSchedule has its own, longer pauses. If a caller joins and waits, the request is retried. */
  async #renew(entry: Entry): Promise<void> {
    const { clocks, log, onRefused } = this.#options;
    try {
      await this.#fetchOnce(entry.chain, { region: entry.region, fresh: false, within: 0 });
    } catch (error) {
      entry.schedule.failed(clocks.now());
      log.add('failed', `renewal of ${entry.chain.role.arn} in ${entry.region}: ${reasonOf(error)}`);
      if (!(error instanceof Problem)) return;
      entry.trouble = error.what;
      if (error.kind === 'session-over') onRefused(error);
    }
  }

  #fetchOnce(chain: RoleChain, { region, fresh, within }: Required<CredentialsOptions> & { region: string }) {
    const { assumer, clocks, lifetime, log } = this.#options;
    const key = keyOf(chain);
    return this.#flights.run(`${key} ${region}${fresh ? ' fresh' : ''}`, within, async (deadline) => {
      // Fetching through the source does not count as using the source. It is renewed early only if somebody uses it directly.
      const left = { region, fresh, within: Math.max(0, deadline.left) };
      const source = chain.source && {
        role: chain.source.role.arn,
        credentials: (await this.#obtain(chain.source, left)).credentials.reveal(),
      };
      const obtained = await assumer.assume(chain, { region, deadline, source });
      // Nothing is awaited after this check, so a session that was dropped meanwhile keeps nothing.
      lifetime.check();
      checkExpiration(chain, obtained, clocks.now());
      const credentials = new HeldCredentials(obtained, clocks);
      const earlier = this.#cache.find(key, region)?.schedule;
      const schedule = new RenewalSchedule(credentials.expiration, clocks.now(), earlier);
      const entry: Entry = { key, chain, region, credentials, schedule };
      this.#cache.put(entry);
      log.add('credentials', `${chain.role.arn} in ${region}, until ${credentials.expiry.clockTime}`);
      return entry;
    });
  }
}

/** Whether the server or STS could not be reached. A refusal is something else. */
export function isDown(error: unknown): error is Problem {
  return error instanceof Problem && error.category === 'unreachable';
}

function checkExpiration({ role }: RoleChain, { expiration }: AwsCredentials, now: number): void {
  if (expiration > now) return;
  throw new Problem({
    kind: 'aws-unreachable',
    what: `AWS STS gave credentials for ${role.arn} that have already ended, so they are not used.`,
    why: `They ended at ${new Date(expiration).toISOString()}, and by this machine's clock it is ${new Date(now).toISOString()}.`,
    fix: 'Check the clock of this machine; if it is right, something else answers in the place of AWS STS.',
  });
}
