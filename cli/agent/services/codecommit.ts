import { checkPartition } from '../../aws/codecommit/check-partition.ts';
import { codeCommitHost } from '../../aws/codecommit/hosts.ts';
import { passwordEnd } from '../../aws/codecommit/password-life.ts';
import { CodeCommitSigner } from '../../aws/codecommit/signature.ts';
import { chooseProfile } from '../../aws/config/choose-profile.ts';
import { Problem } from '../../problem/problem.ts';
import type { Agent } from '../agent.ts';
import { reasonOf } from '../log.ts';
import { badRequest, otherVersion } from '../problems.ts';
import { type GitCredentialRequest, parseGitRequest } from '../protocol/git-request.ts';
import { credentialLines } from './git-answer.ts';
import { RecentFailures } from './recent-failures.ts';

/**
 * Makes Git's answers out of the agent's AWS credentials: a user name and a password for one CodeCommit repository. The agent
 * itself knows only STS. For another service, add a file like this one and a route.
 */
export class CodeCommit {
  readonly #agent: Agent;
  readonly #failures: RecentFailures;

  constructor(agent: Agent) {
    this.#agent = agent;
    this.#failures = new RecentFailures(agent.clocks.uptime);
    agent.onNewSession(() => this.#failures.clear());
  }

  /**
   * For git.sock, which cannot carry an error message. A failure is kept for `explain`.
   *
   * @throws as answer
   */
  async answerQuickly(request: Uint8Array): Promise<string> {
    try {
      return await this.answer(request);
    } catch (error) {
      this.#failures.add(request, error);
      throw error;
    }
  }

  /**
   * Answers a request that may have just failed on git.sock. If it has, its failure is thrown again, without another try.
   *
   * @throws as answer
   */
  async explain(request: Uint8Array): Promise<string> {
    const known = this.#failures.take(request);
    if (known) throw known;
    return this.answer(request);
  }

  /**
   * Answers Git's credential request.
   *
   * @param request the lines as Git wrote them
   * @returns the lines of the answer
   * @throws Problem `bad-request`, `other-version`, `not-codecommit`, `no-path`, `partition`, and as Agent.profiles, chooseProfile
   *   and Agent.withCredentials
   */
  async answer(request: Uint8Array): Promise<string> {
    const { protocol, version, log } = this.#agent;
    const asked = parseGitRequest(request);
    try {
      if (asked === undefined) throw badRequest("Git's request is malformed.");
      if (asked.vouchProtocol !== undefined && asked.vouchProtocol !== protocol) throw otherVersion(version);
      return await this.#sign(asked);
    } catch (error) {
      log.add('refused', `Git, for ${asked?.host ?? 'an unreadable request'}: ${reasonOf(error)}`);
      throw error;
    }
  }

  async #sign(asked: GitCredentialRequest): Promise<string> {
    const { clocks } = this.#agent;
    const target = asked.protocol === 'https' ? codeCommitHost(asked.host) : undefined;
    if (target === undefined) throw notCodeCommit();
    const { path } = asked;
    if (!path) throw noPath();
    const profile = chooseProfile(await this.#agent.profiles(asked.awsConfig), asked);
    checkPartition(profile, target);
    const { host, region } = target;
    return this.#agent.withCredentials(profile, { region }, async (credentials) => {
      const at = clocks.now();
      // The derived key is kept, and dropped, with the credentials.
      const signed = await credentials.derived(CodeCommitSigner).sign({ host, region, path, at });
      return credentialLines(asked, signed, passwordEnd(at, credentials.expiration));
    });
  }
}

function notCodeCommit(): Problem {
  return new Problem({ kind: 'not-codecommit', what: 'This is not a CodeCommit repository over HTTPS.' });
}

function noPath(): Problem {
  return new Problem({
    kind: 'no-path',
    what: "Git did not send the repository's path, and without it nothing can be signed.",
    why: 'credential.useHttpPath is not set for this host.',
    fix: 'Run `vouch setup codecommit`, then try again.',
  });
}
