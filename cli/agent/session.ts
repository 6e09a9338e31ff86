import { clearCredentialCache } from '@smithy/signature-v4';
import type { AwsCredentials } from '../aws/codecommit-signature.ts';
import type { RoleArn } from '../aws/partitions.ts';
import { type Access, requestAwsToken } from './identity-server.ts';
import type { KeyName } from './protocol.ts';
import { SingleFlight } from './single-flight.ts';

/** AWS credentials with less left than this are not handed out again: what begins with them should also end with them. */
const leastLeft = 5 * 60_000;

/** A fetch of credentials may take this long in all, in milliseconds. */
const patience = 20_000;

/** More roles and regions than a person works with; the oldest goes first. */
const mostEntries = 100;

export interface SessionDetails {
  access: Access;
  email: string;
  key: KeyName;
  /** In milliseconds since 1970. */
  expiresAt: number;
}

/**
 * One session and all that was obtained with it. The AWS credentials live in here and not beside it, so that what an
 * earlier session was still waiting for can never reach a later one.
 */
export class Session {
  readonly details: SessionDetails;
  readonly #now: () => number;
  readonly #credentials = new Map<string, { role: string; region: string; credentials: AwsCredentials }>();
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
   * one to STS.
   *
   * @param role the role
   * @param region whose STS is asked; without one, credentials of any region will do, as a role's are good in all of them
   * @throws Problem as requestAwsToken and assumeRole
   */
  async credentials(role: RoleArn, region: string | undefined): Promise<AwsCredentials> {
    this.#forgetExpired();
    const found = this.#find(role, region);
    if (found) return found;
    const where = region ?? role.partition.defaultRegion;
    const name = `${role.arn} ${where}`;
    return this.#flights.run(name, async () => {
      const credentials = await this.#fetch(role, where);
      if (!this.#dropped.signal.aborted) this.#remember(name, role.arn, where, credentials);
      return credentials;
    });
  }

  /** Ends it: what is under way is given up, and nothing is kept. */
  drop(): void {
    this.#dropped.abort();
    this.#credentials.clear();
    // The signer keeps the keys that it derived from our credentials.
    clearCredentialCache();
  }

  #find(role: RoleArn, region: string | undefined): AwsCredentials | undefined {
    const usable = [...this.#credentials.values()].filter(
      (entry) =>
        entry.role === role.arn &&
        (region === undefined || entry.region === region) &&
        entry.credentials.expiration - this.#now() > leastLeft,
    );
    return usable.sort((a, b) => b.credentials.expiration - a.credentials.expiration)[0]?.credentials;
  }

  async #fetch(role: RoleArn, region: string): Promise<AwsCredentials> {
    const signal = AbortSignal.any([this.#dropped.signal, AbortSignal.timeout(patience)]);
    // The SDK is loaded when it is first needed, which is soon after a login (see warmUp).
    const [{ assumeRole }, token] = await Promise.all([
      import('../aws/sts.ts'),
      requestAwsToken(this.details.access, role.arn, signal),
    ]);
    const left = Math.floor((this.details.expiresAt - this.#now()) / 1000);
    return assumeRole({
      role: role.arn,
      region,
      token,
      sessionName: this.details.email,
      // No longer than the session, where STS's minimum of 900 seconds lets that be.
      duration: Math.max(900, Math.min(3600, left)),
      signal,
    });
  }

  #remember(name: string, role: string, region: string, credentials: AwsCredentials): void {
    this.#credentials.delete(name);
    this.#credentials.set(name, { role, region, credentials });
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
