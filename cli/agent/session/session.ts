import { clearCredentialCache } from '@smithy/signature-v4';
import { Problem } from '../../problem/problem.ts';
import type { KeyName } from '../../text/key-label.ts';
import type { Access } from './access.ts';
import {
  CredentialSupply,
  type CredentialSupplyOptions,
  type CredentialsOptions,
  isDown,
} from './credential-supply.ts';
import type { HeldCredentials } from './held-credentials.ts';
import { Lifetime } from './lifetime.ts';
import { RoleAssumer, type RoleAssumerOptions } from './role-assumer.ts';
import { nameOfRole, type RoleChain } from './role-chain.ts';
import { Secret } from './secret.ts';
import type { Timeouts } from './timeouts.ts';
import { readClaims, requestAwsToken, revokeSession } from './vouch-api.ts';

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
 * One session and all that was obtained with it. The AWS credentials live in here and not beside it, so that what an
 * earlier session was still waiting for can never reach a later one.
 */
export class Session {
  readonly details: SessionDetails;
  readonly lifetime: Lifetime;
  readonly #timeouts: Timeouts;
  readonly #supply: CredentialSupply;

  constructor(details: SessionDetails, options: SessionOptions) {
    const { access, email, expiresAt } = details;
    this.details = details;
    this.lifetime = new Lifetime(expiresAt, options.clocks);
    this.#timeouts = options.timeouts;
    const { lifetime } = this;
    const assumer = new RoleAssumer({ ...options, access, email, lifetime });
    this.#supply = new CredentialSupply({ ...options, assumer, lifetime });
  }

  /** Whether its time is up, by the clock at this very moment. */
  get over(): boolean {
    return this.lifetime.end.over;
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
   * AWS credentials for a role: those in the cache, or new ones. Any number of callers causes one request to the server and
   * one to STS for each role of the chain. When one of those is down, it is asked again for as long as a caller waits. Credentials
   * are renewed ahead of their end, for which no caller waits.
   *
   * @throws Problem as requestAwsToken, assumeRoleWithWebIdentity and assumeRole; of category `unreachable` it also says until
   *   when what is in the cache lasts
   */
  async credentials(chain: RoleChain, options: CredentialsOptions = {}): Promise<HeldCredentials> {
    try {
      return await this.#supply.use(chain, options);
    } catch (error) {
      throw isDown(error) && !options.fresh ? this.#withWhatLasts(error) : error;
    }
  }

  /**
   * Renews what is due. To be called now and then: how often, and whether it was called at all while the machine slept,
   * decides nothing.
   *
   * @returns settles when the renewals that are under way have ended, well or not
   */
  renewDue(): Promise<void> {
    return this.#supply.renewDue();
  }

  /**
   * The claims of a fresh ID token for a role. The caller wants to see what the server says now, so it is asked once.
   *
   * @throws Problem as requestAwsToken
   */
  async claims(role: string): Promise<Record<string, unknown>> {
    const { access } = this.details;
    return readClaims(access, await requestAwsToken(access, role, this.lifetime.callSignal(this.#timeouts.call)));
  }

  /** Ends it: what is under way is given up, and nothing is kept. */
  drop(): void {
    this.lifetime.drop();
    this.#supply.drop();
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
      await revokeSession({ ...access, accessToken }, AbortSignal.timeout(this.#timeouts.call));
    } finally {
      accessToken.wipe();
    }
  }

  /** Says as well until when the rest lasts: there is nothing to be done but to try again. */
  #withWhatLasts({ what, ...rest }: Problem): Problem {
    const others = this.#supply.all().map(({ chain, region, credentials: { expiry } }) => {
      // With its region: those of the very role that was asked for are of no use in another one.
      return `${nameOfRole(chain)} in ${region} until ${expiry.clockTime}`;
    });
    const also = others.length > 0 ? `, and credentials for ${others.join(', ')}` : '';
    return new Problem({ ...rest, what: `${what} Your session lasts until ${this.lifetime.end.clockTime}${also}.` });
  }
}
