import { codeCommitHost } from '../aws/codecommit/hosts.ts';
import { chooseProfile, ProfileReader, type VouchProfile } from '../aws/config/profiles.ts';
import type { AwsCredentials } from '../aws/credentials.ts';
import { awsConfigFile } from '../paths.ts';
import { asProblem, Problem } from '../problem/problem.ts';
import { version as ourVersion } from '../programs.ts';
import { keyLabel } from '../text/key-label.ts';
import { clockTime } from '../text/time.ts';
import { credentialLines } from './git-answer.ts';
import { type GitCredentialRequest, parseGitRequest } from './git-request.ts';
import { Log, reasonOf } from './log.ts';
import { type AgentStatus, type Dropped, type NewSession, protocolVersion, type ServiceManager } from './protocol.ts';
import { RecentFailures } from './recent-failures.ts';
import { checkChain, checkPartition } from './session/check-partition.ts';
import { type Patience, patience as usualPatience } from './session/patience.ts';
import type { RoleChain } from './session/role-chain.ts';
import { type CredentialsOptions, Session } from './session/session.ts';
import { importAccess } from './session/vouch-api.ts';

/** How long an agent waits for a session before it ends, in milliseconds. */
const patience = 10 * 60_000;

/** How long CodeCommit takes a password after its signing, in milliseconds. */
const passwordLife = 15 * 60_000;

export interface AgentOptions {
  /** Where HOME is, for the AWS config file of callers that name none. */
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
  /** How long a server, and STS, that are down are waited for. */
  upstreamPatience?: Patience;
}

/** What the agent knows and does; the sockets are elsewhere (git-socket.ts, http-socket.ts). Nothing is kept on disk. */
export class Agent {
  readonly log: Log;
  readonly version: string;
  readonly protocol: string;
  readonly #now: () => number;
  readonly #uptime: () => number;
  readonly #patience: Patience;
  readonly #env: NodeJS.ProcessEnv;
  readonly #profiles = new ProfileReader();
  readonly #startedAt: number;
  readonly #service: ServiceManager | null;
  #session: Session | undefined;
  #waitingSince: number;
  readonly #failures: RecentFailures;
  /** Why there is no session any more, for whoever asks next. */
  #ended: Problem | undefined;

  constructor({ env, service, version = ourVersion, protocol = protocolVersion, ...options }: AgentOptions) {
    const { now = Date.now, uptime = () => performance.now() } = options;
    this.version = version;
    this.protocol = protocol;
    this.#now = now;
    this.#uptime = uptime;
    this.#patience = options.upstreamPatience ?? usualPatience;
    this.log = new Log(now);
    this.log.add('started', `version ${version}, process ${process.pid}`);
    // Not AWS_CONFIG_FILE: it is the caller's that counts, which need not be what it was when the agent was started.
    this.#env = { HOME: env.HOME };
    this.#failures = new RecentFailures(uptime);
    this.#startedAt = now();
    this.#service = service ?? null;
    // launchd cannot start it when somebody asks, so there it waits for its first session without end.
    this.#waitingSince = service === 'launchd' ? Number.POSITIVE_INFINITY : this.#startedAt;
  }

  /** Whether there is nothing left to stay for: no session, and none has come for a while. */
  get done(): boolean {
    this.#forgetIfOver();
    return this.#session === undefined && this.#now() - this.#waitingSince >= patience;
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
      credentials: (this.#session?.inHand() ?? []).map((entry) => ({ ...entry, expiresAt: iso(entry.expiresAt) })),
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
    if (!(expiresAt > this.#now())) throw badRequest('The session is over already; is the clock right?');
    this.#session?.drop();
    const taken: Session = new Session(
      { access, email, key, expiresAt },
      {
        clocks: { now: this.#now, uptime: this.#uptime },
        patience: this.#patience,
        log: this.log,
        onRefused: (why) => this.#forget(taken, why),
      },
    );
    this.#session = taken;
    this.#ended = undefined;
    this.#failures.clear();
    // So that the first request finds it read.
    void this.#profilesOf(undefined).catch(() => {});
    const until = clockTime(new Date(expiresAt), new Date(this.#now()));
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

  /**
   * AWS credentials for a role, see Session.credentials.
   *
   * @throws Problem `no-session` and `session-over` (exit code 3), `partition`, and as Session.credentials
   */
  async credentials(chain: RoleChain, options: CredentialsOptions = {}): Promise<AwsCredentials> {
    checkChain(chain);
    return this.#withSession((session, within) => session.credentials(chain, { ...options, within }));
  }

  /**
   * AWS credentials for a profile of Vouch's.
   *
   * @param name the profile's name
   * @param config the caller's AWS config file
   * @throws Problem `no-profile`, `unknown-profile`, and as credentials
   */
  async profileCredentials(
    name: string,
    config: string | undefined,
    options: CredentialsOptions,
  ): Promise<AwsCredentials> {
    this.#current();
    return this.credentials(chooseProfile(await this.#profilesOf(config), { profile: name }), options);
  }

  /**
   * The claims of a fresh ID token for a role; the token itself stays here.
   *
   * @throws Problem `no-session` and `session-over` (exit code 3), and as requestAwsToken
   */
  async claims(role: string): Promise<Record<string, unknown>> {
    return this.#withSession((session) => session.claims(role));
  }

  /** Asks the session, and the next one if that one ended or was replaced meanwhile, within the patience of one request. */
  async #withSession<T>(ask: (session: Session, within: number) => Promise<T>): Promise<T> {
    const until = performance.now() + this.#patience.request;
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
    return this.#profiles.read(config ?? awsConfigFile(this.#env));
  }

  /**
   * Answers a request of Git's where no reason can be given: the failure is kept for `explainGit`.
   *
   * @throws as answerGit
   */
  async answerGitQuickly(request: Uint8Array): Promise<string> {
    try {
      return await this.answerGit(request);
    } catch (error) {
      this.#failures.add(request, error);
      throw error;
    }
  }

  /**
   * Answers a request of Git's that may have failed just now; then the reason is told without another try.
   *
   * @throws as answerGit
   */
  async explainGit(request: Uint8Array): Promise<string> {
    const known = this.#failures.take(request);
    if (known) throw known;
    return this.answerGit(request);
  }

  /**
   * Answers a credential request of Git's.
   *
   * @param request the lines as Git wrote them
   * @returns the lines of the answer
   * @throws Problem `bad-request`, `not-codecommit`, `no-path`, `partition`, and as chooseProfile and credentials
   */
  async answerGit(request: Uint8Array): Promise<string> {
    const asked = parseGitRequest(request);
    try {
      if (asked === undefined) throw badRequest("Git's request is malformed.");
      if (asked.vouchProtocol !== undefined && asked.vouchProtocol !== this.protocol) throw otherVersion(this.version);
      return await this.#answerGit(asked);
    } catch (error) {
      this.log.add('refused', `Git, for ${asked?.host ?? 'nothing that can be read'}: ${reasonOf(error)}`);
      throw error;
    }
  }

  async #answerGit(asked: GitCredentialRequest): Promise<string> {
    const target = asked.protocol === 'https' ? codeCommitHost(asked.host) : undefined;
    if (target === undefined) {
      throw new Problem({ kind: 'not-codecommit', what: 'This is no CodeCommit repository over HTTPS.' });
    }
    if (!asked.path) {
      throw new Problem({
        kind: 'no-path',
        what: "Git did not send the repository's path, and without it nothing can be signed.",
        why: 'credential.useHttpPath is not set for this host.',
        fix: 'Run `vouch setup codecommit`, then try again.',
      });
    }
    this.#current();
    const profile = chooseProfile(await this.#profilesOf(asked.awsConfig), asked);
    checkPartition(profile, target);
    checkChain(profile);
    const { host, region } = target;
    const { path } = asked;
    const signed = await this.#withSession((session, within) =>
      session.sign(profile, { host, region, path }, { within }),
    );
    return credentialLines(asked, signed, Math.min(signed.at + passwordLife, signed.expiration));
  }

  #current(): Session {
    this.#forgetIfOver();
    if (this.#session) return this.#session;
    throw (
      this.#ended ??
      new Problem({
        kind: 'no-session',
        what: 'You are not signed in.',
        fix: 'Run `vouch login`, then try again.',
      })
    );
  }

  #forgetIfOver(): void {
    const session = this.#session;
    if (!session?.over) return;
    this.#forget(session, session.ended);
  }

  #forget(session: Session, why: Problem | undefined): void {
    session.drop();
    if (this.#session !== session) return;
    this.log.add('ended', `the session: ${why ? reasonOf(why) : 'logged out'}`);
    this.#session = undefined;
    this.#ended = why;
    this.#waitingSince = this.#now();
  }
}

/** The client speaks another protocol than the agent, see protocolVersion. */
export function otherVersion(version: string): Problem {
  return new Problem({
    kind: 'other-version',
    what: `The running agent is version ${version}, and does not understand this version of \`vouch\`.`,
    fix: 'Run `vouch login`, which replaces it, then try again.',
  });
}

export function badRequest(why: string): Problem {
  return new Problem({ kind: 'bad-request', what: 'The agent did not understand the request.', why });
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
