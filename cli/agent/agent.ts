import { type AwsCredentials, signForCodeCommit } from '../aws/codecommit-signature.ts';
import { codeCommitHost, type RoleArn } from '../aws/partitions.ts';
import { chooseProfile, profileReader, type VouchProfile } from '../aws/profiles.ts';
import { clockTime } from '../describe.ts';
import { parseGitRequest } from '../git/request.ts';
import { asProblem, Problem } from '../problem.ts';
import { version } from '../programs.ts';
import { importAccess, revokeSession } from './identity-server.ts';
import type { AgentStatus, Dropped, NewSession } from './protocol.ts';
import { RecentFailures } from './recent-failures.ts';
import { Session, warmUp } from './session.ts';

/** How long an agent waits for a session before it ends, in milliseconds. */
const patience = 10 * 60_000;

/** How long CodeCommit takes a password after its signing, in milliseconds. */
const passwordLife = 15 * 60_000;

export interface AgentOptions {
  /** Where the AWS config file is looked up. */
  env: NodeJS.ProcessEnv;
  /** The wall clock, in milliseconds since 1970. */
  now?: () => number;
}

/** What the agent knows and does; the sockets are elsewhere (git-socket.ts, http-socket.ts). Nothing is kept on disk. */
export class Agent {
  readonly #now: () => number;
  readonly #profiles: () => Promise<VouchProfile[]>;
  readonly #startedAt: number;
  #session: Session | undefined;
  #waitingSince: number;
  readonly #failures: RecentFailures;
  /** Why there is no session any more, for whoever asks next. */
  #ended: Problem | undefined;

  constructor({ env, now = Date.now }: AgentOptions) {
    this.#now = now;
    this.#profiles = profileReader(env);
    this.#failures = new RecentFailures(now);
    this.#startedAt = this.#waitingSince = now();
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
      version,
      pid: process.pid,
      startedAt: iso(this.#startedAt),
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
    this.#session = new Session({ access, email, key, expiresAt }, this.#now);
    this.#ended = undefined;
    this.#failures.clear();
    warmUp();
  }

  /** Drops the session and all that came of it, and asks the server to revoke it, as well as that goes in 5 seconds. */
  async logOut(): Promise<Dropped> {
    this.#forgetIfOver();
    const session = this.#session;
    if (session === undefined) return { revoked: false, reason: 'There was no session.' };
    this.#forget(session, undefined);
    try {
      await revokeSession(session.details.access);
      return { revoked: true };
    } catch (error) {
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
   * @throws Problem `no-session` and `session-over` (exit code 3), and as Session.credentials
   */
  async credentials(role: RoleArn, region?: string): Promise<AwsCredentials> {
    for (;;) {
      const session = this.#current();
      try {
        const credentials = await session.credentials(role, region);
        if (this.#session === session && !session.over) return credentials;
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
    if (asked === undefined) throw badRequest("Git's request is malformed.");
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
    const { role, name } = chooseProfile(await this.#profiles(), asked.username);
    if (role.partition.id !== target.partition.id) {
      throw new Problem({
        kind: 'partition',
        what: `The role of profile "${name}" cannot open a repository in ${target.region}.`,
        why: `${role.arn} is of the partition ${role.partition.id}, and ${target.host} of ${target.partition.id}.`,
        fix: `Set up a role of that partition: \`vouch setup aws --profile <name> --role <role ARN>\`.`,
      });
    }
    const credentials = await this.credentials(role, target.region);
    const at = this.#now();
    const { username, password } = await signForCodeCommit(credentials, {
      host: target.host,
      region: target.region,
      path: asked.path,
      at,
    });
    const expiry = Math.floor(Math.min(at + passwordLife, credentials.expiration) / 1000);
    return `username=${username}\npassword=${password}\npassword_expiry_utc=${expiry}\n`;
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
        exitCode: 3,
      })
    );
  }

  #forgetIfOver(): void {
    const session = this.#session;
    if (!session?.over) return;
    const ended = clockTime(new Date(session.details.expiresAt), new Date(this.#now()));
    this.#forget(
      session,
      new Problem({
        kind: 'session-over',
        what: `Your session ended at ${ended}.`,
        fix: 'Run `vouch login`, then try again.',
        exitCode: 3,
      }),
    );
  }

  #forget(session: Session, why: Problem | undefined): void {
    session.drop();
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#ended = why;
    this.#waitingSince = this.#now();
  }
}

export function badRequest(why: string): Problem {
  return new Problem({ kind: 'bad-request', what: 'The agent did not understand the request.', why });
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
