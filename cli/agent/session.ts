import { clearCredentialCache } from '@smithy/signature-v4';
import { type AwsCredentials, CodeCommitSigner, type SigningRequest } from '../aws/codecommit-signature.ts';
import type { Partition } from '../aws/partitions.ts';
import type { VouchProfile } from '../aws/profiles.ts';
import { assumeRoleWithWebIdentity } from '../aws/sts.ts';
import { clockTime } from '../describe.ts';
import { Problem } from '../problem.ts';
import { type Access, readClaims, requestAwsToken } from './identity-server.ts';
import { type Log, reasonOf } from './log.ts';
import type { KeyName } from './protocol.ts';
import { Renewal } from './renewal.ts';
import { SingleFlight } from './single-flight.ts';

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

/** A fetch of credentials may take this long in all, in milliseconds. */
const patience = 20_000;

/**
 * How long credentials are asked for, in seconds: an hour at most, which is what AWS lets a chained role have, and STS's
 * minimum at least.
 */
const [longest, shortest] = [3600, 900];

/** More roles and regions than a person works with; the oldest goes first. */
const mostEntries = 100;

export interface SessionDetails {
  access: Access;
  email: string;
  key: KeyName;
  /** In milliseconds since 1970. */
  expiresAt: number;
}

/** A role, and how one comes to it: with an ID token, or through the role of its `source`. A profile is one. */
export interface RoleChain extends Pick<VouchProfile, 'role' | 'externalId' | 'roleSessionName' | 'durationSeconds'> {
  source?: RoleChain;
}

/** The roles from the last one to the first. */
function* hops(chain: RoleChain): Generator<RoleChain> {
  for (let hop: RoleChain | undefined = chain; hop !== undefined; hop = hop.source) yield hop;
}

export function partitionsOf(chain: RoleChain): Partition[] {
  return [...hops(chain)].map(({ role }) => role.partition);
}

/** What the credentials of a chain are known by: all that AWS is asked with. */
function keyOf(chain: RoleChain): string {
  return JSON.stringify(
    [...hops(chain)].map(({ role, externalId, roleSessionName, durationSeconds }) => [
      role.arn,
      externalId ?? null,
      roleSessionName ?? null,
      durationSeconds ?? null,
    ]),
  );
}

function nameOf({ key, region }: Pick<Entry, 'key' | 'region'>): string {
  return `${key} ${region}`;
}

export interface CredentialsOptions {
  /** Whose STS is asked; without one, credentials of any region will do, as a role's are good in all of them. */
  region?: string | undefined;
  /** Whether AWS is to be asked even though there is something in hand. */
  fresh?: boolean;
}

/** A user name and password for CodeCommit. */
export interface SignedRequest {
  username: string;
  password: string;
  /** When it was signed, in milliseconds since 1970. */
  at: number;
  /** When the AWS credentials end that signed it, in milliseconds since 1970. */
  expiration: number;
}

interface Entry {
  /** See keyOf. */
  key: string;
  chain: RoleChain;
  region: string;
  credentials: AwsCredentials;
  /** Signs with these credentials; it is dropped with them. */
  signer: CodeCommitSigner;
  renewal: Renewal;
  /** The renewal under way; it never fails. */
  renewing?: Promise<void> | undefined;
}

export interface SessionOptions {
  /** The wall clock, in milliseconds since 1970. */
  now: () => number;
  log: Log;
  /** Called when the server no longer takes the session and no request of anybody's was there to be told so. */
  onRefused: (why: Problem) => void;
}

/**
 * One session and all that was obtained with it. The AWS credentials live in here and not beside it, so that what an
 * earlier session was still waiting for can never reach a later one.
 */
export class Session {
  readonly details: SessionDetails;
  readonly #now: () => number;
  readonly #log: Log;
  readonly #onRefused: (why: Problem) => void;
  readonly #credentials = new Map<string, Entry>();
  readonly #flights = new SingleFlight<Entry>();
  readonly #dropped = new AbortController();

  constructor(details: SessionDetails, { now, log, onRefused }: SessionOptions) {
    this.details = details;
    this.#now = now;
    this.#log = log;
    this.#onRefused = onRefused;
  }

  /** Whether its time is up, by the wall clock at this very moment: a timer may have slept with the machine. */
  get over(): boolean {
    return this.#now() >= this.details.expiresAt;
  }

  /** What is in hand, without the secrets. */
  inHand(): { role: string; region: string; expiresAt: number }[] {
    this.#forgetExpired();
    return [...this.#credentials.values()].map(({ chain, region, credentials }) => ({
      role: chain.role.arn,
      region,
      expiresAt: credentials.expiration,
    }));
  }

  /**
   * AWS credentials for a role: those in hand, or new ones. Any number of callers causes one request to the server and
   * one to STS for each role of the chain. Those in hand are renewed ahead of their end, for which nobody waits.
   *
   * @throws Problem as requestAwsToken, assumeRoleWithWebIdentity and assumeRole
   */
  async credentials(chain: RoleChain, options: CredentialsOptions = {}): Promise<AwsCredentials> {
    return (await this.#use(chain, options)).credentials;
  }

  /**
   * The user name and password for a repository, see CodeCommitSigner.sign.
   *
   * @returns with the time of signing and the end of the credentials behind it, in milliseconds since 1970
   * @throws Problem as credentials
   */
  async sign(chain: RoleChain, { host, region, path }: Omit<SigningRequest, 'at'>): Promise<SignedRequest> {
    const { signer, credentials } = await this.#use(chain, { region });
    const at = this.#now();
    return { ...(await signer.sign({ host, region, path, at })), at, expiration: credentials.expiration };
  }

  async #use(chain: RoleChain, options: CredentialsOptions): Promise<Entry> {
    const entry = await this.#obtain(chain, options);
    entry.renewal.used(this.#now());
    void this.#renewIfDue(entry);
    return entry;
  }

  /**
   * Renews what is due. To be called now and then: how often, and whether it was called at all while the machine slept,
   * decides nothing.
   *
   * @returns settles when the renewals that are under way have ended, well or not
   */
  async renewDue(): Promise<void> {
    await Promise.all([...this.#credentials.values()].map((entry) => this.#renewIfDue(entry)));
  }

  /**
   * The claims of a fresh ID token for a role.
   *
   * @throws Problem as requestAwsToken
   */
  async claims(role: string): Promise<Record<string, unknown>> {
    return readClaims(this.details.access, await requestAwsToken(this.details.access, role, this.#deadline()));
  }

  /** Ends it: what is under way is given up, and nothing is kept. */
  drop(): void {
    this.#dropped.abort();
    for (const name of this.#credentials.keys()) this.#discard(name);
    // The SDK signs with the same library, which keeps the keys that it derived.
    clearCredentialCache();
  }

  async #obtain(chain: RoleChain, { region, fresh = false }: CredentialsOptions): Promise<Entry> {
    this.#forgetExpired();
    const key = keyOf(chain);
    const inHand = fresh ? undefined : this.#find(key, region);
    if (inHand && this.#isOfUse(inHand)) return inHand;
    try {
      return await this.#fetchOnce(chain, { region: region ?? chain.role.partition.defaultRegion, fresh });
    } catch (error) {
      // The little that is left is better than nothing, when the server or STS is down.
      const left = fresh ? undefined : this.#find(key, region);
      if (left && error instanceof Problem && error.exitCode === 4) return left;
      throw error;
    }
  }

  /** Of those in hand that have not expired, the ones that last longest. */
  #find(key: string, region: string | undefined): Entry | undefined {
    return [...this.#credentials.values()]
      .filter((entry) => entry.key === key && (region === undefined || entry.region === region))
      .filter(({ credentials }) => credentials.expiration > this.#now())
      .sort((a, b) => b.credentials.expiration - a.credentials.expiration)[0];
  }

  #isOfUse(entry: Entry): boolean {
    return entry.credentials.expiration - this.#now() > leastLeft || this.#lastsTheSession(entry);
  }

  #lastsTheSession({ credentials }: Entry): boolean {
    return credentials.expiration > this.details.expiresAt - rounding;
  }

  async #renewIfDue(entry: Entry): Promise<void> {
    if (entry.renewing) return entry.renewing;
    if (this.over || this.#dropped.signal.aborted) return;
    if (this.#lastsTheSession(entry) || !entry.renewal.isDue(this.#now())) return;
    entry.renewing = this.#renew(entry);
    await entry.renewing;
    entry.renewing = undefined;
  }

  async #renew(entry: Entry): Promise<void> {
    try {
      await this.#fetchOnce(entry.chain, { region: entry.region, fresh: false });
    } catch (error) {
      entry.renewal.failed(this.#now());
      this.#log.add('failed', `renewal of ${entry.chain.role.arn} in ${entry.region}: ${reasonOf(error)}`);
      if (error instanceof Problem && error.kind === 'session-over') this.#onRefused(error);
    }
  }

  #fetchOnce(chain: RoleChain, { region, fresh }: { region: string; fresh: boolean }): Promise<Entry> {
    const key = keyOf(chain);
    return this.#flights.run(`${key} ${region}${fresh ? ' fresh' : ''}`, async () => {
      const credentials = await this.#fetch(chain, { region, fresh });
      const earlier = this.#credentials.get(nameOf({ key, region }))?.renewal;
      const renewal = new Renewal(credentials.expiration, this.#now(), earlier);
      const entry = { key, chain, region, credentials, signer: new CodeCommitSigner(credentials), renewal };
      if (!this.#dropped.signal.aborted) this.#remember(entry);
      const until = clockTime(new Date(credentials.expiration), new Date(this.#now()));
      this.#log.add('credentials', `${chain.role.arn} in ${region}, until ${until}`);
      return entry;
    });
  }

  async #fetch(chain: RoleChain, { region, fresh }: { region: string; fresh: boolean }): Promise<AwsCredentials> {
    const { role, source, externalId, roleSessionName, durationSeconds = longest } = chain;
    const { access, email, expiresAt } = this.details;
    // Begins here, so that a chain of roles takes no longer in all.
    const signal = this.#deadline();
    // Not as a use of the source's: it is renewed for who uses it itself, and for this one when this one is.
    const proof = source
      ? (await this.#obtain(source, { region, fresh })).credentials
      : await requestAwsToken(access, role.arn, signal);
    // No longer than the session, where STS's minimum lets that be.
    const left = Math.floor((expiresAt - this.#now()) / 1000);
    const request = {
      role: role.arn,
      region,
      sessionName: roleSessionName ?? email,
      duration: Math.max(shortest, Math.min(longest, durationSeconds, left)),
      signal,
    };
    if (typeof proof === 'string') return assumeRoleWithWebIdentity({ ...request, token: proof });
    // AWS's SDK is large, and few have chained roles.
    const { assumeRole } = await import('../aws/assume-role.ts');
    return assumeRole({ ...request, source: { role: source?.role.arn ?? '', credentials: proof }, externalId });
  }

  #deadline(): AbortSignal {
    return AbortSignal.any([this.#dropped.signal, AbortSignal.timeout(patience)]);
  }

  #remember(entry: Entry): void {
    const name = nameOf(entry);
    this.#discard(name);
    this.#credentials.set(name, entry);
    const [oldest] = this.#credentials.keys();
    if (this.#credentials.size > mostEntries && oldest !== undefined) this.#discard(oldest);
  }

  #discard(name: string): void {
    this.#credentials.get(name)?.signer.drop();
    this.#credentials.delete(name);
  }

  #forgetExpired(): void {
    for (const [name, { credentials }] of this.#credentials) {
      if (credentials.expiration <= this.#now()) this.#discard(name);
    }
  }
}
