import type { Agent as HttpAgent } from 'node:http';
import { clearCredentialCache } from '@smithy/signature-v4';
import type { AwsCredentials } from '../../aws/credentials.ts';
import { assumeRoleWithWebIdentity, type RoleRequest } from '../../aws/sts/web-identity.ts';
import { Problem } from '../../problem/problem.ts';
import type { KeyName } from '../../text/key-label.ts';
import { clockTime } from '../../text/time.ts';
import { type Log, reasonOf } from '../log.ts';
import { type Entry, InHand } from './credential-cache.ts';
import { type Clocks, Expiry } from './expiry.ts';
import { HeldCredentials } from './held-credentials.ts';
import type { Patience } from './patience.ts';
import { Renewal } from './renewal.ts';
import { retry, type Waiting } from './retry.ts';
import { keyOf, nameOfRole, type RoleChain } from './role-chain.ts';
import { Secret } from './secret.ts';
import { SingleFlight } from './single-flight.ts';
import { type Access, readClaims, requestAwsToken, revokeSession } from './vouch-api.ts';

/**
 * AWS credentials with less left than this, in milliseconds, are handed out only when no others are to be had.
 *
 * A password for CodeCommit is good for 15 minutes, but no longer than the credentials that signed it. It need not be good
 * for all of these: it is checked when a request of Git's begins, not while it lasts, Git asks for one each time that it is
 * started, and its last request begins some seconds after that (a push that packs much first: a minute). So a minute is
 * enough for a password to be of use, and leaves nine for a renewal to succeed in before anybody has to wait for it.
 */
const leastLeft = 60_000;

/** Credentials that end this much before the session, in milliseconds, last as long as it: STS counts in seconds, by its own clock. */
const rounding = 10_000;

/** How long an ID token is shown to STS, in milliseconds: it lives for 60 seconds by the server's clock. */
const tokenLife = 45_000;

/**
 * How long credentials are asked for, in seconds: an hour at most, which is what AWS lets a chained role have, and STS's
 * minimum at least.
 */
const [longest, shortest] = [3600, 900];

export interface SessionDetails {
  access: Access;
  email: string;
  key: KeyName;
  /** In milliseconds since 1970. */
  expiresAt: number;
}

/** Whether the server or STS could not be asked, as opposed to one that refused. */
function isDown(error: unknown): error is Problem {
  return error instanceof Problem && error.category === 'unreachable';
}

export interface CredentialsOptions {
  /** Whose STS is asked; without one, credentials of any region will do, as a role's are good in all of them. */
  region?: string | undefined;
  /** Whether AWS is to be asked even though there is something in hand: once, by who wants to see what it says now. */
  fresh?: boolean;
  /** The longest wait, in milliseconds; not more than Patience.request. */
  within?: number;
}

export interface SessionOptions {
  clocks: Clocks;
  patience: Patience;
  log: Log;
  /** Where AWS STS, proxies and the like are read. */
  env: NodeJS.ProcessEnv;
  /** What requests to STS go through, unless that is what the environment says. */
  stsAgent?: HttpAgent;
  /** Called when the server no longer takes the session and no request of anybody's was there to be told so. */
  onRefused: (why: Problem) => void;
}

/**
 * One session and all that was obtained with it. The AWS credentials live in here and not beside it, so that what an
 * earlier session was still waiting for can never reach a later one.
 */
export class Session {
  readonly details: SessionDetails;
  readonly #clocks: Clocks;
  readonly #patience: Patience;
  readonly #log: Log;
  readonly #end: Expiry;
  readonly #env: NodeJS.ProcessEnv;
  readonly #stsAgent: HttpAgent | undefined;
  readonly #onRefused: (why: Problem) => void;
  readonly #credentials = new InHand();
  readonly #flights = new SingleFlight<Entry>();
  readonly #dropped = new AbortController();

  constructor(details: SessionDetails, { clocks, patience, log, env, stsAgent, onRefused }: SessionOptions) {
    this.details = details;
    this.#clocks = clocks;
    this.#patience = patience;
    this.#log = log;
    this.#end = new Expiry(details.expiresAt, clocks);
    this.#env = env;
    this.#stsAgent = stsAgent;
    this.#onRefused = onRefused;
  }

  /** Whether its time is up, by the clock at this very moment. */
  get over(): boolean {
    return this.#end.over;
  }

  /** What is said of it when its time is up. */
  get ended(): Problem {
    return new Problem({
      kind: 'session-over',
      what: `Your session ended at ${this.#clockTime(this.details.expiresAt)}.`,
      fix: 'Run `vouch login`, then try again.',
    });
  }

  /** What is in hand, without the secrets. */
  inHand(): { role: string; region: string; expiresAt: number; trouble?: string | undefined }[] {
    return this.#credentials.all().map(({ chain, region, credentials, trouble }) => ({
      role: chain.role.arn,
      region,
      expiresAt: credentials.expiration,
      trouble,
    }));
  }

  /**
   * AWS credentials for a role: those in hand, or new ones. Any number of callers causes one request to the server and
   * one to STS for each role of the chain; when one of those is down, it is tried again for as long as somebody waits. Those
   * in hand are renewed ahead of their end, for which nobody waits.
   *
   * @throws Problem as requestAwsToken, assumeRoleWithWebIdentity and assumeRole; of exit code 4 it also says until
   *   when what is in hand lasts
   */
  async credentials(chain: RoleChain, options: CredentialsOptions = {}): Promise<HeldCredentials> {
    const entry = await this.#obtain(chain, options).catch((error) => {
      throw isDown(error) && !options.fresh ? this.#withWhatLasts(error) : error;
    });
    entry.renewal.used(this.#clocks.now());
    void this.#renewIfDue(entry);
    return entry.credentials;
  }

  /**
   * Renews what is due. To be called now and then: how often, and whether it was called at all while the machine slept,
   * decides nothing.
   *
   * @returns settles when the renewals that are under way have ended, well or not
   */
  async renewDue(): Promise<void> {
    await Promise.all(this.#credentials.all().map((entry) => this.#renewIfDue(entry)));
  }

  /**
   * The claims of a fresh ID token for a role. Who asks wants to see what the server says now, so it is asked once.
   *
   * @throws Problem as requestAwsToken
   */
  async claims(role: string): Promise<Record<string, unknown>> {
    return readClaims(this.details.access, await requestAwsToken(this.details.access, role, this.#soon()));
  }

  /** Ends it: what is under way is given up, and nothing is kept. */
  drop(): void {
    this.#dropped.abort();
    this.#credentials.drop();
    this.details.access.accessToken.wipe();
    // The SDK signs with the same library, which keeps the keys that it derived.
    clearCredentialCache();
  }

  /**
   * Ends it as `drop` does, and has the server revoke it, once.
   *
   * @throws Problem as revokeSession
   */
  async revoke(): Promise<void> {
    const { access } = this.details;
    const accessToken = new Secret(access.accessToken.reveal());
    this.drop();
    try {
      await revokeSession({ ...access, accessToken }, AbortSignal.timeout(this.#patience.call));
    } finally {
      accessToken.wipe();
    }
  }

  async #obtain(chain: RoleChain, { region, fresh = false, within }: CredentialsOptions): Promise<Entry> {
    const key = keyOf(chain);
    const inHand = fresh ? undefined : this.#credentials.find(key, region);
    if (inHand && this.#isOfUse(inHand)) return inHand;
    try {
      return await this.#fetchOnce(chain, {
        region: region ?? chain.role.partition.defaultRegion,
        fresh,
        within: fresh ? 0 : Math.min(within ?? this.#patience.request, this.#patienceWith(inHand)),
      });
    } catch (error) {
      // The little that is left is better than nothing, when the server or STS is down.
      const left = fresh ? undefined : this.#credentials.find(key, region);
      if (left === undefined || !isDown(error)) throw error;
      return left;
    }
  }

  /** How long to wait for better ones, in milliseconds: so that what is in hand can still be used afterwards. */
  #patienceWith(inHand: Entry | undefined): number {
    if (inHand === undefined) return Number.POSITIVE_INFINITY;
    return Math.min(this.#patience.better, inHand.credentials.expiry.left / 2);
  }

  #isOfUse(entry: Entry): boolean {
    return entry.credentials.expiry.left > leastLeft || this.#lastsTheSession(entry);
  }

  #lastsTheSession({ credentials }: Entry): boolean {
    return credentials.expiration > this.#end.at - rounding;
  }

  async #renewIfDue(entry: Entry): Promise<void> {
    if (entry.renewing) return entry.renewing;
    if (this.over || this.#dropped.signal.aborted) return;
    if (this.#lastsTheSession(entry) || !entry.renewal.isDue(this.#clocks.now())) return;
    entry.renewing = this.#renew(entry);
    await entry.renewing;
    entry.renewing = undefined;
  }

  /** Tries once: the pauses between renewals are its own, and long ones. Who comes to wait for it has it tried again. */
  async #renew(entry: Entry): Promise<void> {
    try {
      await this.#fetchOnce(entry.chain, { region: entry.region, fresh: false, within: 0 });
    } catch (error) {
      entry.renewal.failed(this.#clocks.now());
      this.#log.add('failed', `renewal of ${entry.chain.role.arn} in ${entry.region}: ${reasonOf(error)}`);
      if (!(error instanceof Problem)) return;
      entry.trouble = error.what;
      if (error.kind === 'session-over') this.#onRefused(error);
    }
  }

  #fetchOnce(chain: RoleChain, { region, fresh, within }: Required<CredentialsOptions> & { region: string }) {
    const key = keyOf(chain);
    return this.#flights.run(`${key} ${region}${fresh ? ' fresh' : ''}`, within, async (waiting) => {
      const obtained = await this.#fetch(chain, { region, fresh, waiting });
      this.#checkAlive();
      if (obtained.expiration <= this.#clocks.now()) throw this.#overAlready(chain, obtained.expiration);
      const credentials = new HeldCredentials(obtained, this.#clocks);
      const earlier = this.#credentials.find(key, region)?.renewal;
      const renewal = new Renewal(credentials.expiration, this.#clocks.now(), earlier);
      const entry: Entry = { key, chain, region, credentials, renewal };
      this.#credentials.put(entry);
      this.#log.add('credentials', `${chain.role.arn} in ${region}, until ${this.#clockTime(credentials.expiration)}`);
      return entry;
    });
  }

  async #fetch(
    chain: RoleChain,
    { region, fresh, waiting }: { region: string; fresh: boolean; waiting: Waiting },
  ): Promise<AwsCredentials> {
    const { role, source, externalId } = chain;
    // Not as a use of the source's: it is renewed for who uses it itself, and for this one when this one is.
    const within = Math.max(0, waiting.left);
    const proof = source && (await this.#obtain(source, { region, fresh, within })).credentials.reveal();
    let token: { value: string; expiry: Expiry } | undefined;
    const attempt = async () => {
      this.#checkAlive();
      if (source && proof) {
        // AWS's SDK is large, and few have chained roles.
        const { assumeRole } = await import('../../aws/sts/assume-role.ts');
        const from = { role: source.role.arn, credentials: proof };
        return assumeRole({ ...this.#roleRequest(chain, region), source: from, externalId });
      }
      // While STS is down, the server is left alone.
      if (token === undefined || token.expiry.over) {
        const value = await requestAwsToken(this.details.access, role.arn, this.#soon());
        token = { value, expiry: new Expiry(this.#clocks.now() + tokenLife, this.#clocks) };
        // So that nothing is asked for in the name of a session that ended meanwhile.
        this.#checkAlive();
      }
      const request = this.#roleRequest(chain, region);
      return assumeRoleWithWebIdentity({ ...request, token: token.value, agent: this.#stsAgent });
    };
    return retry(attempt, {
      waiting,
      patience: this.#patience,
      signal: this.#dropped.signal,
      onRetry: (trouble) => this.#log.add('retry', `${role.arn} in ${region}: ${reasonOf(trouble)}`),
    });
  }

  #roleRequest({ role, roleSessionName, durationSeconds = longest }: RoleChain, region: string): RoleRequest {
    // No longer than the session, where STS's minimum lets that be.
    const left = Math.floor(this.#end.left / 1000);
    return {
      role: role.arn,
      region,
      env: this.#env,
      sessionName: roleSessionName ?? this.details.email,
      duration: Math.max(shortest, Math.min(longest, durationSeconds, left)),
      signal: this.#soon(),
    };
  }

  #checkAlive(): void {
    this.#dropped.signal.throwIfAborted();
    if (this.over) throw this.ended;
  }

  #overAlready({ role }: RoleChain, expiration: number): Problem {
    return new Problem({
      kind: 'aws-unreachable',
      what: `AWS STS gave credentials for ${role.arn} that are over already, so they are not used.`,
      why: `They ended at ${new Date(expiration).toISOString()}, and by this machine's clock it is ${new Date(this.#clocks.now()).toISOString()}.`,
      fix: 'Check the clock of this machine; if it is right, something else answers in the place of AWS STS.',
    });
  }

  /** For one call to the server or to STS. */
  #soon(): AbortSignal {
    return AbortSignal.any([this.#dropped.signal, AbortSignal.timeout(this.#patience.call)]);
  }

  /** Says as well until when what is in hand lasts: there is nothing to be done but to try again. */
  #withWhatLasts({ what, ...rest }: Problem): Problem {
    const others = this.#credentials.all().map(({ chain, region, credentials: { expiration } }) => {
      // With its region: those of the very role that was asked for are of no use in another one.
      return `${nameOfRole(chain)} in ${region} until ${this.#clockTime(expiration)}`;
    });
    const until = this.#clockTime(this.details.expiresAt);
    const also = others.length > 0 ? `, and credentials for ${others.join(', ')}` : '';
    return new Problem({ ...rest, what: `${what} Your session lasts until ${until}${also}.` });
  }

  #clockTime(moment: number): string {
    return clockTime(new Date(moment), new Date(this.#clocks.now()));
  }
}
