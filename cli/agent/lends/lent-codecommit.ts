import { checkPartition } from '../../aws/codecommit/check-partition.ts';
import { codeCommitHost } from '../../aws/codecommit/hosts.ts';
import { passwordEnd } from '../../aws/codecommit/password-life.ts';
import { matchesRepository } from '../../aws/codecommit/repository-pattern.ts';
import { CodeCommitSigner } from '../../aws/codecommit/signature.ts';
import { chooseProfile } from '../../aws/config/choose-profile.ts';
import type { AwsCredentials } from '../../aws/credentials.ts';
import { Problem } from '../../problem/problem.ts';
import type { Agent } from '../agent.ts';
import { reasonOf } from '../log.ts';
import { badRequest, otherVersion } from '../problems.ts';
import { type GitCredentialRequest, parseGitRequest } from '../protocol/git-request.ts';
import { credentialLines } from '../services/git-answer.ts';
import { isDown } from '../session/credential-supply.ts';
import type { HeldCredentials } from '../session/held-credentials.ts';
import type { LentCredentials } from '../session/lent-credentials.ts';
import type { FencedProfile } from './fenced-profile.ts';

/** How many refusals of one lend are logged. A program that is out for more must not push all else out of the log. */
const mostLogged = 20;

export interface LentCodeCommitOptions {
  name: string;
  credentials: LentCredentials;
  /** One at least. */
  profiles: readonly FencedProfile[];
  /** Its clocks, its log, and its version. */
  agent: Pick<Agent, 'clocks' | 'log' | 'version' | 'protocol'>;
}

/**
 * Answers on a lend's socket. Whoever has the socket is a stranger: it reads no file for them, a request can only choose among the
 * lend's own profiles, and what is outside the fence is refused before anybody is asked. AWS refuses it once more, by the session policy.
 */
export class LentCodeCommit {
  readonly #options: LentCodeCommitOptions;
  #logged = 0;
  #givenUntil = 0;

  constructor(options: LentCodeCommitOptions) {
    this.#options = options;
  }

  /** Until when AWS may honour what was given out, in milliseconds since 1970; undefined if that is nothing. */
  get givenUntil(): number | undefined {
    return this.#givenUntil > this.#options.agent.clocks.now() ? this.#givenUntil : undefined;
  }

  /**
   * Gets credentials for every profile ahead: the socket could not say why AWS refuses them. If the server or AWS is only down, it may
   * work later.
   *
   * @throws Problem as LentCredentials.use
   */
  async prepare(): Promise<void> {
    const { profiles } = this.#options;
    const prepared = profiles.map((profile) =>
      this.#use(profile, () => {}, 0).catch((error: unknown) => {
        if (!isDown(error)) throw error;
      }),
    );
    await Promise.all(prepared);
  }

  /**
   * Answers Git's credential request.
   *
   * @param request the lines as Git wrote them
   * @returns the lines of the answer. When it is refused and Git would ask a person for a user name, the line that tells Git not to; the
   *   socket can carry no reason, so that is in the agent's log
   * @throws Problem when it is refused otherwise
   */
  async answer(request: Uint8Array): Promise<string> {
    const asked = parseGitRequest(request);
    try {
      return await this.#sign(asked);
    } catch (error) {
      this.#refused(`for ${asked?.host ?? 'an unreadable request'}: ${reasonOf(error)}`);
      if (/codecommit/i.test(asked?.host ?? '')) return 'quit=1\n';
      throw error;
    }
  }

  /**
   * The credentials themselves, of the first profile.
   *
   * @throws Problem as LentCredentials.use
   */
  async reveal(): Promise<AwsCredentials> {
    const [profile] = this.#options.profiles;
    if (profile === undefined) throw badRequest('The lend has no profile.');
    try {
      const revealed = await this.#use(profile, (credentials) => credentials.reveal());
      this.#gave(revealed.expiration);
      return revealed;
    } catch (error) {
      this.#refused(`for AWS: ${reasonOf(error)}`);
      throw error;
    }
  }

  async #sign(asked: GitCredentialRequest | undefined): Promise<string> {
    const { agent, credentials, profiles } = this.#options;
    credentials.lifetime.check();
    if (asked === undefined) throw badRequest("Git's request is malformed.");
    if (asked.vouchProtocol !== undefined && asked.vouchProtocol !== agent.protocol) {
      throw otherVersion(agent.version);
    }
    const target = asked.protocol === 'https' ? codeCommitHost(asked.host) : undefined;
    if (target === undefined) throw outside('It is not a CodeCommit repository over HTTPS.');
    const [, repository] = /^v1\/repos\/(?!\.{1,2}$)([A-Za-z0-9_.-]{1,100})$/.exec(asked.path ?? '') ?? [];
    if (repository === undefined) throw outside('It does not name a repository; is credential.useHttpPath set?');
    const profile = chooseProfile(profiles, asked);
    checkPartition(profile, target);
    const { host, region } = target;
    const { repositories } = profile;
    if (repositories.length > 0 && !repositories.some((its) => matchesRepository(its, repository, region))) {
      throw outside(`The repository ${repository} in ${region} was not lent.`);
    }
    return this.#use(profile, async (held) => {
      const at = agent.clocks.now();
      const path = `v1/repos/${repository}`;
      const signed = await held.derived(CodeCommitSigner).sign({ host, region, path, at });
      const end = passwordEnd(at, held.expiration);
      // A Git that asks by itself gets a user name and a password: up to 2.53 it loses the other form in a large push
      // (git-credential-vouch/), and does not say which version it is. The script, which asks for both forms, knows.
      const lines = credentialLines({ ...asked, authtype: false }, signed, end);
      this.#gave(end);
      return lines;
    });
  }

  /** STS is asked in a region that the lend's owner chose: a request could name any. Credentials are valid in all regions. */
  #use<T>(profile: FencedProfile, make: (credentials: HeldCredentials) => T | Promise<T>, within?: number): Promise<T> {
    const { credentials } = this.#options;
    const [first, ...others] = new Set(profile.repositories.map(({ region }) => region));
    const region = (others.length === 0 ? first : undefined) ?? profile.region;
    return credentials.use(profile, { region, ...(within !== undefined && { within }) }, make);
  }

  #gave(until: number): void {
    this.#givenUntil = Math.max(this.#givenUntil, until);
  }

  #refused(what: string): void {
    const { agent, name } = this.#options;
    this.#logged++;
    if (this.#logged <= mostLogged) agent.log.add('refused', `the lend "${name}", ${what}`);
    if (this.#logged !== mostLogged) return;
    agent.log.add('refused', `the lend "${name}": its further refusals are not logged`);
  }
}

function outside(why: string): Problem {
  return new Problem({ kind: 'outside-lend', what: 'This is outside of what was lent.', why });
}
