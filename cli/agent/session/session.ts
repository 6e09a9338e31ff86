import { clearCredentialCache } from '@smithy/signature-v4';
import { Problem } from '../../problem/problem.ts';
import type { KeyName } from '../../text/key-label.ts';
import type { RoleClaims } from '../protocol/messages.ts';
import type { Access } from './access-token.ts';
import { Account } from './account.ts';
import {
  CredentialSupply,
  type CredentialSupplyOptions,
  type CredentialsOptions,
  isDown,
} from './credential-supply.ts';
import type { HeldCredentials } from './held-credentials.ts';
import { LentCredentials } from './lent-credentials.ts';
import { Lifetime } from './lifetime.ts';
import { RoleAssumer, type RoleAssumerOptions } from './role-assumer.ts';
import { nameOfRole, type RoleChain } from './role-chain.ts';
import { Secret } from './secret.ts';
import { readClaims, requestAwsToken, revokeSession } from './server-requests.ts';
import { SessionEvents } from './session-events.ts';
import type { Timeouts } from './timeouts.ts';

export interface SessionDetails {
  access: Access;
  email: string;
  key: KeyName;
  /** In milliseconds since 1970. */
  expiresAt: number;
}

export type SessionOptions = Omit<
  RoleAssumerOptions & CredentialSupplyOptions,
  keyof SessionDetails | 'lifetime' | 'assumer'
>;

/**
 * One session and all that was obtained with it. The AWS credentials are inside it, so that a late answer to an earlier session
 * can never reach a later session.
 */
export class Session {
  readonly details: SessionDetails;
  readonly lifetime: Lifetime;
  /** The person's keys and sessions at the server. */
  readonly account: Account;
  readonly #timeouts: Timeouts;
  readonly #supply: CredentialSupply;
  readonly #events: SessionEvents;
  readonly #options: SessionOptions;
  readonly #lent = new Set<LentCredentials>();

  constructor(details: SessionDetails, options: SessionOptions) {
    const { access, email, expiresAt } = details;
    this.details = details;
    this.#options = options;
    this.lifetime = new Lifetime(expiresAt, options.clocks);
    this.#timeouts = options.timeouts;
    const { lifetime } = this;
    // The person may have renamed the key since the sign-in.
    const onOwnKey = (key: KeyName) => {
      details.key = key;
    };
    this.account = new Account({ ...options, access, onOwnKey });
    const assumer = new RoleAssumer({ ...options, access, email, lifetime });
    this.#supply = new CredentialSupply({ ...options, assumer, lifetime });
    this.#events = new SessionEvents({ ...options, access, lifetime });
  }

  /** Whether its time is up. */
  get over(): boolean {
    return this.lifetime.end.over;
  }

  /** Hears from now on when the server ends the session. It is then refused, see SessionOptions.onRefused. */
  listen(): void {
    void this.#events.listen();
  }

  /** See SessionEvents.check. */
  checkEvents(): void {
    this.#events.check();
  }

  /** The credentials in the cache, without the secrets. */
  cached(): { role: string; region: string; expiresAt: number; trouble?: string | undefined }[] {
    return this.#supply.all().map(({ chain, region, credentials, trouble }) => ({
      role: chain.role.arn,
      region,
      expiresAt: credentials.expiration,
      trouble,
    }));
  }

  /**
   * AWS credentials for a role, from the cache or new ones. Any number of callers causes one request to the server, and one to STS
   * for each role of the chain. If one of them is down, it is asked again for as long as a caller waits. Credentials are renewed
   * ahead of their end, and no caller waits for that.
   *
   * @throws Problem as RoleAssumer.assume. In the category `unreachable` its text also has until when the session and the other
   *   credentials last
   */
  async credentials(chain: RoleChain, options: CredentialsOptions = {}): Promise<HeldCredentials> {
    try {
      return await this.#supply.use(chain, options);
    } catch (error) {
      throw isDown(error) && !options.fresh ? this.#withWhatLasts(error) : error;
    }
  }

  /**
   * Credentials for what is lent, which end with the session at the latest. They are not among `cached`.
   *
   * @param name the lend's
   * @param until in milliseconds since 1970
   */
  lend(name: string, until: number): LentCredentials {
    const { access, email, expiresAt } = this.details;
    const lent = new LentCredentials(name, Math.min(until, expiresAt), { ...this.#options, access, email });
    this.#lent.add(lent);
    lent.lifetime.signal.addEventListener('abort', () => this.#lent.delete(lent), { once: true });
    return lent;
  }

  /**
   * Renews what is due. To be called now and then; how often does not matter.
   *
   * @returns settles when all renewals under way have ended, well or not
   */
  async renewDue(): Promise<void> {
    await Promise.all([this.#supply, ...this.#lent].map((one) => one.renewDue()));
  }

  /**
   * The claims of a fresh ID token for a role. The server is asked only once, so that the caller gets its answer of now.
   *
   * @throws Problem as requestAwsToken
   */
  async claims(role: string): Promise<RoleClaims> {
    const { access } = this.details;
    const { token } = await requestAwsToken(access, { role }, this.lifetime.callSignal(this.#timeouts.call));
    return readClaims(access, token);
  }

  /** Ends the session: gives up what is under way, and keeps nothing. */
  drop(): void {
    this.lifetime.drop();
    this.#supply.drop();
    for (const lent of this.#lent) lent.drop();
    this.details.access.accessToken.wipe();
    // AWS's SDK signs with the same library, which keeps the keys that it derives.
    clearCredentialCache();
  }

  /**
   * Ends the session as `drop` does, and asks the server once to revoke it.
   *
   * @throws Problem as revokeSession
   */
  async revoke(): Promise<void> {
    const { access } = this.details;
    const accessToken = new Secret(access.accessToken.reveal());
    this.drop();
    try {
      await revokeSession({ ...access, accessToken }, AbortSignal.timeout(this.#timeouts.call));
    } finally {
      accessToken.wipe();
    }
  }

  /** Adds until when the session and the other credentials last: with them the person may still work. */
  #withWhatLasts({ what, ...rest }: Problem): Problem {
    const others = this.#supply.all().map(({ chain, region, credentials: { expiry } }) => {
      // With the region: the same role may have credentials for another region, which are of no use here.
      return `${nameOfRole(chain)} in ${region} until ${expiry.clockTime}`;
    });
    const also = others.length > 0 ? `, and credentials for ${others.join(', ')}` : '';
    return new Problem({ ...rest, what: `${what} Your session lasts until ${this.lifetime.end.clockTime}${also}.` });
  }
}
