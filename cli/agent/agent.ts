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
import { type AgentStatus, type Dropped, type NewSession, protocolVersion, type ServiceManager } from './protocol.ts';
import { importAccess } from './session/access.ts';
import type { CredentialsOptions } from './session/credential-supply.ts';
import type { Clocks } from './session/expiry.ts';
import type { HeldCredentials } from './session/held-credentials.ts';
import { checkPartitions, type RoleChain } from './session/role-chain.ts';
import { Session } from './session/session.ts';
import { type Timeouts, usualTimeouts } from './session/timeouts.ts';

/** How long an agent is there without a session before it ends, in milliseconds. */
const longestIdle = 10 * 60_000;

export interface AgentOptions {
  /** HOME, for the AWS config file of callers that name none; where AWS STS is, and proxies. */
  env: NodeJS.ProcessEnv;
  /** Whose service it is, if it is one. */
  service?: ServiceManager | undefined;
  /** Vouch's version. */
  version?: string;
  /** See protocolVersion. */
  protocol?: string;
  /** The wall clock, in milliseconds since 1970. */
  now?: () => number;
  /** A clock that nobody can set, in milliseconds. */
  uptime?: () => number;
  timeouts?: Timeouts;
}

/**
 * What the agent knows and does: one session, and the AWS credentials that came of it. Nothing is kept on disk. The sockets are in
 * sockets/, and what is made of the credentials for a service of AWS is beside this (codecommit.ts).
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
  /** Why there is no session any more, for whoever asks next. */
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
    // launchd cannot start it when somebody asks, so there it waits for its first session without end.
    this.#waitingSince = service === 'launchd' ? Number.POSITIVE_INFINITY : this.#startedAt;
  }

  /** Whether there is nothing left to stay for: no session, and none has come for a while. */
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
      credentials: (this.#session?.cached() ?? []).map((entry) => ({ ...entry, expiresAt: iso(entry.expiresAt) })),
    };
  }

  /**
   * Takes a session, in the place of any earlier one.
   *
   * @throws Problem `bad-request` when its key is unusable or its time is up
   */
  async take(session: NewSession): Promise<void> {
    const { email, key } = session;
    const expiresAt = Date.parse(session.expiresAt);
    const access = await importAccess(session).catch(() => {
      throw badRequest('dpopKey is not a private EC P-256 key in JWK form.');
    });
    if (!(expiresAt > this.clocks.now())) throw badRequest('The session is over already; is the clock right?');
    this.#session?.drop();
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
    for (const listener of this.#newSessionListeners) listener();
    // So that the first request finds it read.
    void this.#profilesOf(undefined).catch(() => {});
    const until = clockTime(new Date(expiresAt), new Date(this.clocks.now()));
    this.log.add('session', `${email} with ${keyLabel(key)} at ${access.issuer}, until ${until}`);
  }

  /** Renews what is due, see Session.renewDue; whether anything is, the clock says. */
  async renewDue(): Promise<void> {
    this.#forgetIfOver();
    await this.#session?.renewDue();
  }

  /** Drops the session and all that came of it, and asks the server to revoke it, as well as that goes in 5 seconds. */
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
      this.log.add('failed', `the server could not be told of the logout: ${reasonOf(error)}`);
      const { what, why } = asProblem(error);
      return { revoked: false, reason: [what, why].filter(Boolean).join(' ') };
    }
  }

  /** Forgets everything, without a word to the server: for the end of the process. */
  close(): void {
    if (this.#session) this.#forget(this.#session, undefined);
  }

  /** Has somebody told of each new session, when the agent has it. */
  onNewSession(listener: () => void): void {
    this.#newSessionListeners.push(listener);
  }

  /**
   * Makes something of AWS credentials for a role, see Session.credentials. Should the session end or be replaced meanwhile, nothing
   * of it is given out: `use` may then be called again, with credentials of the next session.
   *
   * @param use may keep what it derives from them in the credentials themselves alone (HeldCredentials.derived)
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
   * AWS credentials for a role, in the open.
   *
   * @throws as withCredentials
   */
  async credentials(chain: RoleChain, options: CredentialsOptions = {}): Promise<AwsCredentials> {
    return this.withCredentials(chain, options, (credentials) => credentials.reveal());
  }

  /**
   * AWS credentials for a profile of Vouch's.
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
   * The profiles of Vouch's in the caller's AWS config file. That there is no session is said first: without one none is of use.
   *
   * @param config that file, unless it is the one in our home
   * @throws Problem `no-session`, `session-over`, and as ProfileReader.read
   */
  async profiles(config: string | undefined): Promise<VouchProfile[]> {
    this.#current();
    return this.#profilesOf(config);
  }

  /**
   * The claims of a fresh ID token for a role; the token itself stays here.
   *
   * @throws Problem `no-session` and `session-over` (exit code 3), and as requestAwsToken
   */
  async claims(role: string): Promise<Record<string, unknown>> {
    return this.#withSession((session) => session.claims(role));
  }

  /** Asks the session, and the next one if that one ended or was replaced meanwhile, within the time of one request. */
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
      // The session ended or another one came while we waited: what we got is not to be given out any more. Ask again,
      // which answers for the new session or says why there is none.
    }
  }

  #profilesOf(config: string | undefined): Promise<VouchProfile[]> {
    // Not AWS_CONFIG_FILE: it is the caller's that counts, which need not be what it was when the agent was started.
    return this.#profiles.read(config ?? awsConfigFile({ HOME: this.#env.HOME }));
  }

  #current(): Session {
    this.#forgetIfOver();
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
