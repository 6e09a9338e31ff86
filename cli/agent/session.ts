import { clearCredentialCache } from '@smithy/signature-v4';
import type { AwsCredentials } from '../aws/codecommit-signature.ts';
import type { Partition } from '../aws/partitions.ts';
import type { VouchProfile } from '../aws/profiles.ts';
import { type Access, readClaims, requestAwsToken } from './identity-server.ts';
import type { KeyName } from './protocol.ts';
import { SingleFlight } from './single-flight.ts';

/** AWS credentials with less left than this are not handed out again: what begins with them should also end with them. */
const leastLeft = 5 * 60_000;

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

export interface CredentialsOptions {
  /** Whose STS is asked; without one, credentials of any region will do, as a role's are good in all of them. */
  region?: string | undefined;
  /** Whether AWS is to be asked even though there is something in hand. */
  fresh?: boolean;
}

interface Entry {
  chain: string;
  role: string;
  region: string;
  credentials: AwsCredentials;
}

/**
 * One session and all that was obtained with it. The AWS credentials live in here and not beside it, so that what an
 * earlier session was still waiting for can never reach a later one.
 */
export class Session {
  readonly details: SessionDetails;
  readonly #now: () => number;
  readonly #credentials = new Map<string, Entry>();
  readonly #flights = new SingleFlight<AwsCredentials>();
  readonly #dropped = new AbortController();

  /** @param now the wall clock, in milliseconds since 1970 */
  constructor(details: SessionDetails, now: () => number) {
    this.details = details;
    this.#now = now;
  }

  /** Whether its time is up, by the wall clock at this very moment: a timer may have slept with the machine. */
  get over(): boolean {
    return this.#now() >= this.details.expiresAt;
  }

  /** What is in hand, without the secrets. */
  inHand(): { role: string; region: string; expiresAt: number }[] {
    this.#forgetExpired();
    return [...this.#credentials.values()].map(({ role, region, credentials }) => ({
      role,
      region,
      expiresAt: credentials.expiration,
    }));
  }

  /**
   * AWS credentials for a role: those in hand, or new ones. Any number of callers causes one request to the server and
   * one to STS for each role of the chain.
   *
   * @throws Problem as requestAwsToken, assumeRoleWithWebIdentity and assumeRole
   */
  async credentials(chain: RoleChain, { region, fresh = false }: CredentialsOptions = {}): Promise<AwsCredentials> {
    this.#forgetExpired();
    const key = keyOf(chain);
    const found = fresh ? undefined : this.#find(key, region);
    if (found) return found;
    const where = region ?? chain.role.partition.defaultRegion;
    return this.#flights.run(`${key} ${where}${fresh ? ' fresh' : ''}`, async () => {
      const credentials = await this.#fetch(chain, { region: where, fresh });
      if (!this.#dropped.signal.aborted) {
        this.#remember({ chain: key, role: chain.role.arn, region: where, credentials });
      }
      return credentials;
    });
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
    this.#credentials.clear();
    // The signer keeps the keys that it derived from our credentials.
    clearCredentialCache();
  }

  #find(chain: string, region: string | undefined): AwsCredentials | undefined {
    const usable = [...this.#credentials.values()].filter(
      (entry) =>
        entry.chain === chain &&
        (region === undefined || entry.region === region) &&
        entry.credentials.expiration - this.#now() > leastLeft,
    );
    return usable.sort((a, b) => b.credentials.expiration - a.credentials.expiration)[0]?.credentials;
  }

  async #fetch(chain: RoleChain, { region, fresh }: { region: string; fresh: boolean }): Promise<AwsCredentials> {
    const { role, source, externalId, roleSessionName, durationSeconds = longest } = chain;
    const { access, email, expiresAt } = this.details;
    // Begins here, so that a chain of roles takes no longer in all.
    const signal = this.#deadline();
    // The SDK is loaded when it is first needed, which is soon after a login (see warmUp).
    const [sts, proof] = await Promise.all([
      import('../aws/sts.ts'),
      source ? this.credentials(source, { region, fresh }) : requestAwsToken(access, role.arn, signal),
    ]);
    // No longer than the session, where STS's minimum lets that be.
    const left = Math.floor((expiresAt - this.#now()) / 1000);
    const request = {
      role: role.arn,
      region,
      sessionName: roleSessionName ?? email,
      duration: Math.max(shortest, Math.min(longest, durationSeconds, left)),
      signal,
    };
    return typeof proof === 'string'
      ? sts.assumeRoleWithWebIdentity({ ...request, token: proof })
      : sts.assumeRole({ ...request, source: { role: source?.role.arn ?? '', credentials: proof }, externalId });
  }

  #deadline(): AbortSignal {
    return AbortSignal.any([this.#dropped.signal, AbortSignal.timeout(patience)]);
  }

  #remember(entry: Entry): void {
    const key = `${entry.chain} ${entry.region}`;
    this.#credentials.delete(key);
    this.#credentials.set(key, entry);
    const [oldest] = this.#credentials.keys();
    if (this.#credentials.size > mostEntries && oldest !== undefined) this.#credentials.delete(oldest);
  }

  #forgetExpired(): void {
    for (const [name, { credentials }] of this.#credentials) {
      if (credentials.expiration <= this.#now()) this.#credentials.delete(name);
    }
  }
}

/** Loads what the first request will need, so that nobody waits for it then. */
export function warmUp(): void {
  setImmediate(() => void import('../aws/sts.ts').catch(() => {}));
}
