import { chooseProfile } from '../aws/config/choose-profile.ts';
import { ProfileReader } from '../aws/config/profile-reader.ts';
import type { VouchProfile } from '../aws/config/profiles.ts';
import type { AwsCredentials } from '../aws/credentials.ts';
import { awsConfigFile } from '../paths.ts';
import { asProblem, Problem } from '../problem/problem.ts';
import { signInNeeded } from '../problem/sign-in-needed.ts';
import { version as ourVersion } from '../programs.ts';
import { keyLabel } from '../text/key-label.ts';
import { clockTime } from '../text/time.ts';
import { Log, reasonOf } from './log.ts';
import { badRequest } from './problems.ts';
import type { RoleClaims } from './protocol/messages.ts';
import {
  type AgentStatus,
  type Dropped,
  type NewSession,
  protocolVersion,
  type ServiceManager,
} from './protocol/messages.ts';
import { importAccess } from './session/access-token.ts';
import type { Account } from './session/account.ts';
import type { CredentialsOptions } from './session/credential-supply.ts';
import type { Clocks } from './session/expiry.ts';
import type { HeldCredentials } from './session/held-credentials.ts';
import type { LentCredentials } from './session/lent-credentials.ts';
import { checkPartitions, type RoleChain } from './session/role-chain.ts';
import { Session } from './session/session.ts';
import { type Timeouts, usualTimeouts } from './session/timeouts.ts';

/** How long an agent stays without a session, in milliseconds. */
const longestIdle = 10 * 60_000;

export interface AgentOptions {
  /** The environment: its variables for AWS STS and proxies, and HOME for callers that name no AWS config file. */
  env: NodeJS.ProcessEnv;
  /** The manager that runs the agent as a service, if one does. */
  service?: ServiceManager | undefined;
  /** Vouch's version. */
  version?: string;
  /** See protocolVersion. */
  protocol?: string;
  /** The wall clock, in milliseconds since 1970. */
  now?: () => number;
  /** The monotonic clock, in milliseconds. */
  uptime?: () => number;
  timeouts?: Timeouts;
}

/**
 * The agent's state: one session, and the AWS credentials that it obtained. Nothing is kept on disk. The sockets are in sockets/.
 * Each AWS service has a file in services/, which turns the credentials into what that service takes.
 */
export class Agent {
  readonly log: Log;
  readonly version: string;
  readonly protocol: string;
  readonly clocks: Clocks;
  readonly #timeouts: Timeouts;
  readonly #env: NodeJS.ProcessEnv;
  readonly #profiles = new ProfileReader();
  readonly #startedAt: number;
  readonly #service: ServiceManager | null;
  #session: Session | undefined;
  #waitingSince: number;
  readonly #newSessionListeners: (() => void)[] = [];
  /** Why the last session ended, for the next request. */
  #ended: Problem | undefined;

  constructor({ env, service, version = ourVersion, protocol = protocolVersion, ...options }: AgentOptions) {
    const { now = Date.now, uptime = () => performance.now() } = options;
    this.version = version;
    this.protocol = protocol;
    this.clocks = { now, uptime };
    this.#timeouts = options.timeouts ?? usualTimeouts;
    this.log = new Log(now);
    this.log.add('started', `version ${version}, process ${process.pid}`);
    this.#env = env;
    this.#startedAt = now();
    this.#service = service ?? null;
    // launchd cannot start the agent on demand, so there the agent waits forever for its first session.
    this.#waitingSince = service === 'launchd' ? Number.POSITIVE_INFINITY : this.#startedAt;
  }

  /** Whether the process can end: there is no session, and none has come for a while. */
  get done(): boolean {
    this.#forgetIfOver();
    return this.#session === undefined && this.clocks.now() - this.#waitingSince >= longestIdle;
  }

  get hasSession(): boolean {
    this.#forgetIfOver();
    return this.#session !== undefined;
  }

  status(): AgentStatus {
    this.#forgetIfOver();
    const { issuer, email, key, expiresAt } = this.#session
      ? { ...this.#session.details, issuer: this.#session.details.access.issuer }
      : {};
    return {
      version: this.version,
      protocol: this.protocol,
      pid: process.pid,
      startedAt: iso(this.#startedAt),
      service: this.#service,
      session: issuer && email && key && expiresAt ? { issuer, email, key, expiresAt: iso(expiresAt) } : null,
      ended: this.#ended?.toJSON(),
      credentials: (this.#session?.cached() ?? []).map((entry) => ({ ...entry, expiresAt: iso(entry.expiresAt) })),
    };
  }

  /**
   * Takes a session, which replaces any earlier one. The server is asked to revoke that one, because nobody can use it any more.
   *
   * @throws Problem `bad-request` when its key is unusable or its time is up
   */
  async take(session: NewSession): Promise<void> {
    const { email, key } = session;
    const expiresAt = Date.parse(session.expiresAt);
    const access = await importAccess(session).catch(() => {
      throw badRequest('dpopKey is not a private EC P-256 key in JWK form.');
    });
    if (!(expiresAt > this.clocks.now())) throw badRequest('The session is already over; is the clock right?');
    if (this.#session) this.#replace(this.#session, session);
    const taken: Session = new Session(
      { access, email, key, expiresAt },
      {
        clocks: this.clocks,
        timeouts: this.#timeouts,
        log: this.log,
        env: this.#env,
        onRefused: (why) => this.#forget(taken, why),
      },
    );
    this.#session = taken;
    this.#ended = undefined;
    taken.listen();
    for (const listener of this.#newSessionListeners) listener();
    // Reads the config file now, so that the first request need not wait for it.
    void this.#profilesOf(undefined).catch(() => {});
    const until = clockTime(new Date(expiresAt), new Date(this.clocks.now()));
    this.log.add('session', `${email} with ${keyLabel(key)} at ${access.issuer}, until ${until}`);
  }

  /** Renews what is due, see Session.renewDue and Session.checkEvents. */
  async renewDue(): Promise<void> {
    this.#forgetIfOver();
    this.#session?.checkEvents();
    await this.#session?.renewDue();
  }

  /**
   * Drops the session and all that was obtained with it. Then asks the server to revoke the session, and waits 5 seconds at most.
   */
  async logOut(): Promise<Dropped> {
    this.#forgetIfOver();
    const session = this.#session;
    if (session === undefined) return { revoked: false, reason: 'There was no session.' };
    const revoked = session.revoke();
    this.#forget(session, undefined);
    try {
      await revoked;
      this.log.add('ended', 'the server has revoked the session');
      return { revoked: true };
    } catch (error) {
      if (error instanceof Problem && error.kind === 'session-over') {
        this.log.add('ended', 'the server had ended the session already');
        return { revoked: true };
      }
      this.log.add('failed', `the logout could not be reported to the server: ${reasonOf(error)}`);
      const { what, why } = asProblem(error);
      return { revoked: false, reason: [what, why].filter(Boolean).join(' ') };
    }
  }

  /** Forgets everything, and sends the server nothing: for the end of the process. */
  close(): void {
    if (this.#session) this.#forget(this.#session, undefined);
  }

  /** Calls a listener each time that the agent has taken a new session. */
  onNewSession(listener: () => void): void {
    this.#newSessionListeners.push(listener);
  }

  /**
   * Makes something of AWS credentials for a role, see Session.credentials. If the session ends or is replaced meanwhile, the
   * result is thrown away, and `use` may be called again with credentials of the next session.
   *
   * @param use must not store anything derived from them, except with `HeldCredentials.derived`
   * @throws Problem `no-session` and `session-over` (exit code 3), `partition`, and as Session.credentials and `use`
   */
  async withCredentials<T>(
    chain: RoleChain,
    options: CredentialsOptions,
    use: (credentials: HeldCredentials) => T | Promise<T>,
  ): Promise<T> {
    checkPartitions(chain);
    return this.#withSession(async (session, within) => use(await session.credentials(chain, { ...options, within })));
  }

  /**
   * AWS credentials for a role, as plain strings.
   *
   * @throws as withCredentials
   */
  async credentials(chain: RoleChain, options: CredentialsOptions = {}): Promise<AwsCredentials> {
    return this.withCredentials(chain, options, (credentials) => credentials.reveal());
  }

  /**
   * AWS credentials for a Vouch profile.
   *
   * @param name the profile's name
   * @param config the caller's AWS config file
   * @throws Problem `no-profile`, `unknown-profile`, and as profiles and credentials
   */
  async profileCredentials(
    name: string,
    config: string | undefined,
    options: CredentialsOptions,
  ): Promise<AwsCredentials> {
    return this.credentials(chooseProfile(await this.profiles(config), { profile: name }), options);
  }

  /**
   * The Vouch profiles in the caller's AWS config file. A missing session is reported first, because no profile helps without a
   * session.
   *
   * @param config that file; by default the one in HOME
   * @throws Problem `no-session`, `session-over`, and as ProfileReader.read
   */
  async profiles(config: string | undefined): Promise<VouchProfile[]> {
    this.#current();
    return this.#profilesOf(config);
  }

  /**
   * Credentials for what is lent, see Session.lend.
   *
   * @throws Problem `no-session` and `session-over` (exit code 3)
   */
  lend(name: string, until: number): LentCredentials {
    return this.#current().lend(name, until);
  }

  /**
   * The claims of a fresh ID token for a role, never the token itself.
   *
   * @throws Problem `no-session` and `session-over` (exit code 3), and as requestAwsToken
   */
  async claims(role: string): Promise<RoleClaims> {
    return this.#withSession((session) => session.claims(role));
  }

  /**
   * Asks the server about the person's keys and sessions, or to change them. What it answers counts even if the session ends meanwhile:
   * it may be what ended it.
   *
   * @throws Problem `no-session` and `session-over` (exit code 3), and as Account's methods
   */
  async account<T>(ask: (account: Account) => Promise<T>): Promise<T> {
    const session = this.#current();
    try {
      return await ask(session.account);
    } catch (error) {
      if (error instanceof Problem && error.kind === 'session-over') this.#forget(session, error);
      throw error;
    }
  }

  /** Asks the session, or the one that replaces it meanwhile, within the time of one request. */
  async #withSession<T>(ask: (session: Session, within: number) => Promise<T>): Promise<T> {
    const until = performance.now() + this.#timeouts.request;
    for (;;) {
      const session = this.#current();
      try {
        const answer = await ask(session, Math.max(1, until - performance.now()));
        if (this.#session === session && !session.over) return answer;
      } catch (error) {
        if (this.#session === session) {
          if (error instanceof Problem && error.kind === 'session-over') this.#forget(session, error);
          throw error;
        }
      }
      // The session ended or was replaced while we waited, so its answer is not valid any more. The next round asks the new
      // session, or throws why there is none.
    }
  }

  #replace(earlier: Session, { accessToken }: NewSession): void {
    // A client hands the same session over again if it got no answer.
    if (earlier.details.access.accessToken.reveal() === accessToken) {
      earlier.drop();
      return;
    }
    earlier.revoke().then(
      () => this.log.add('ended', 'the server has revoked the session before'),
      (error: unknown) => {
        if (error instanceof Problem && error.kind === 'session-over') return;
        this.log.add('failed', `the end of the session before could not be reported to the server: ${reasonOf(error)}`);
      },
    );
  }

  #profilesOf(config: string | undefined): Promise<VouchProfile[]> {
    // The agent's own AWS_CONFIG_FILE is ignored, because it may be out of date: only the caller's counts.
    return this.#profiles.read(config ?? awsConfigFile({ HOME: this.#env.HOME }));
  }

  #current(): Session {
    this.#forgetIfOver();
    this.#session?.checkEvents();
    if (this.#session) return this.#session;
    throw this.#ended ?? signInNeeded('no-session', 'You are not signed in.');
  }

  #forgetIfOver(): void {
    const session = this.#session;
    if (!session?.over) return;
    this.#forget(session, session.lifetime.ended);
  }

  #forget(session: Session, why: Problem | undefined): void {
    session.drop();
    if (this.#session !== session) return;
    this.log.add('ended', `the session: ${why ? reasonOf(why) : 'logged out'}`);
    this.#session = undefined;
    this.#ended = why;
    this.#waitingSince = this.clocks.now();
  }
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
