import type { Agent as HttpAgent } from 'node:http';
import type { AwsCredentials } from '../../aws/credentials.ts';
import { assumeRoleWithWebIdentity, type RoleRequest } from '../../aws/sts/web-identity.ts';
import { Problem } from '../../problem/problem.ts';
import { type Log, reasonOf } from '../log.ts';
import type { Access } from './access-token.ts';
import { type Clocks, Expiry } from './expiry.ts';
import type { Lifetime } from './lifetime.ts';
import { type Deadline, retry } from './retry.ts';
import type { RoleChain } from './role-chain.ts';
import { requestAwsToken } from './server-requests.ts';
import type { Timeouts } from './timeouts.ts';

/** How long an ID token is used at STS, in milliseconds: it is valid for 60 seconds by the server's clock. */
const tokenLife = 45_000;

/** The shortest and the longest duration that STS gives credentials for, in seconds (STS API reference, AssumeRoleWithWebIdentity). */
const [shortest, longest] = [900, 43_200];

/**
 * An hour, in seconds. Every role allows it: IAM takes no smaller maximum. For a chained role STS gives no more (IAM user guide,
 * "Roles terms and concepts", role chaining).
 */
const hour = 3600;

export interface RoleAssumerOptions {
  access: Access;
  /** The name of a role's session in CloudTrail, unless the profile sets one. */
  email: string;
  lifetime: Lifetime;
  clocks: Clocks;
  timeouts: Timeouts;
  log: Log;
  /** The environment, with STS's address, the proxy and the like. */
  env: NodeJS.ProcessEnv;
  /** The name of the lend that the roles are assumed for; none if they are for the person's own use. */
  lent?: string | undefined;
  /** Carries the requests to STS; by default one for the environment's proxy and certificates. */
  stsAgent?: HttpAgent | undefined;
}

export interface Assumption {
  /** The region whose STS is asked. */
  region: string;
  /** How long to retry while the server or STS is down. */
  deadline: Deadline;
  /** The role's source, if it has one. */
  source: { role: string; credentials: AwsCredentials } | undefined;
}

/** Obtains new AWS credentials for one role: with an ID token from the server, or with the credentials of the role's source. */
export class RoleAssumer {
  readonly #options: RoleAssumerOptions;
  /** The longest duration that the server lets this session ask for, in seconds. A server that does not say means an hour. */
  #most = hour;

  constructor(options: RoleAssumerOptions) {
    this.#options = options;
  }

  /**
   * Asks the server and STS, and asks again while one is down and there is time.
   *
   * @throws Problem as requestAwsToken, assumeRoleWithWebIdentity, assumeRole and Lifetime.check
   */
  async assume(chain: RoleChain, { region, deadline, source }: Assumption): Promise<AwsCredentials> {
    const { lifetime, log, timeouts } = this.#options;
    const attempt = source ? () => this.#throughSource(chain, region, source) : this.#withToken(chain, region);
    return retry(attempt, {
      deadline,
      timeouts,
      signal: lifetime.signal,
      onRetry: (outage) => log.add('retry', `${chain.role.arn} in ${region}: ${reasonOf(outage)}`),
    });
  }

  async #throughSource(
    chain: RoleChain,
    region: string,
    source: NonNullable<Assumption['source']>,
  ): Promise<AwsCredentials> {
    this.#options.lifetime.check();
    // Loaded here: AWS's SDK is large, and few people use chained roles.
    const { assumeRole } = await import('../../aws/sts/assume-role.ts').catch((error: unknown) => {
      throw replaced(error);
    });
    const most = Math.min(hour, this.#most);
    return assumeRole({ ...this.#request(chain, region, most), source, externalId: chain.externalId });
  }

  /** All tries use one token while it is fresh, so that the server is not asked again while STS is down. */
  #withToken(chain: RoleChain, region: string): () => Promise<AwsCredentials> {
    const { access, clocks, lifetime, lent } = this.#options;
    let fresh: { token: string; expiry: Expiry } | undefined;
    return async () => {
      lifetime.check();
      if (fresh === undefined || fresh.expiry.over) {
        const { token, sessionSeconds = hour } = await requestAwsToken(
          access,
          { role: chain.role.arn, lent },
          this.#callSignal(),
        );
        fresh = { token, expiry: new Expiry(clocks.now() + tokenLife, clocks) };
        this.#most = Math.min(longest, sessionSeconds);
        // STS is not asked for a session that has ended meanwhile.
        lifetime.check();
      }
      return this.#askSts(chain, region, fresh.token);
    };
  }

  /** Asks for as long as the server allows. A role whose own maximum is shorter is asked for an hour, which every role allows. */
  async #askSts(chain: RoleChain, region: string, token: string): Promise<AwsCredentials> {
    const { lifetime, log, stsAgent } = this.#options;
    const request = this.#request(chain, region, this.#most);
    try {
      return await assumeRoleWithWebIdentity({ ...request, token, agent: stsAgent });
    } catch (error) {
      // STS has one code for whatever it finds wrong in a request. Only the duration is not the same for every role.
      const invalid = error instanceof Problem && error.code === 'ValidationError';
      if (!invalid || request.duration <= hour) throw error;
      log.add('retry', `${chain.role.arn} in ${region}, for an hour: it refused ${request.duration} seconds`);
      lifetime.check();
      return assumeRoleWithWebIdentity({ ...this.#request(chain, region, hour), token, agent: stsAgent });
    }
  }

  /** @param most the longest duration to ask for, in seconds */
  #request(
    { role, roleSessionName, durationSeconds = longest, policy }: RoleChain,
    region: string,
    most: number,
  ): RoleRequest {
    const { email, env, lifetime } = this.#options;
    // No longer than the session or the lend, as far as STS's minimum allows.
    const left = Math.floor(lifetime.end.left / 1000);
    return {
      role: role.arn,
      region,
      env,
      sessionName: roleSessionName ?? email,
      policy,
      duration: Math.max(shortest, Math.min(most, durationSeconds, left)),
      signal: this.#callSignal(),
    };
  }

  #callSignal(): AbortSignal {
    const { lifetime, timeouts } = this.#options;
    return lifetime.callSignal(timeouts.call);
  }
}

/** A package's upgrade has taken this agent's files away before it had loaded all of them. */
function replaced(cause: unknown): Problem {
  return new Problem(
    {
      kind: 'other-version',
      what: 'Vouch was upgraded while its agent was running, and that is still the version before.',
      fix: 'Run `vouch agent stop` and `vouch login`, then try again.',
    },
    { cause },
  );
}
