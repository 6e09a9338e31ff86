import { gitCredentials } from '../agent/client/requests.ts';
import { type GitCredentialRequest, parseGitRequest } from '../agent/protocol/git-request.ts';
import { codeCommitHost } from '../aws/codecommit/hosts.ts';
import { credentialEntries } from '../git/credential-entries.ts';
import { configFor } from '../git/effective-config.ts';
import { personIsThere, wantsSilence } from '../login/person-is-there.ts';
import { asProblem, Problem } from '../problem/problem.ts';
import { Interrupted } from '../terminal/interrupt.ts';
import type { Screen } from '../terminal/progress-line.ts';
import { printable } from '../text/printable.ts';
import { refuseIfStoredByOthers } from './stored-by-others.ts';

/** The helper's streams and environment, such as those of `process`. */
export interface HelperIo {
  /** Only for Git's answer. */
  stdout: { write(text: string): unknown };
  stderr: Screen;
  env: NodeJS.ProcessEnv;
}

/**
 * Answers Git's credential request through the agent, or prints why it cannot. Without a session, and with a person at the terminal,
 * it first starts a login.
 *
 * A request that is malformed or not about CodeCommit over HTTPS gets no answer, so that Git goes on to its other
 * helpers. When a request for CodeCommit fails, the answer is `quit=1` (git-credential(1)): Git then stops, instead of asking for
 * a user name and password that do not exist. The exit code is always 0: Git reads the answer whatever the code is.
 *
 * @param request the lines as Git wrote them
 */
export async function answer(request: Uint8Array, io: HelperIo): Promise<void> {
  const asked = parseGitRequest(request);
  if (asked?.protocol !== 'https' || codeCommitHost(asked.host) === undefined) return;
  try {
    io.stdout.write(await credentials(request, asked, io));
  } catch (error) {
    if (!(error instanceof Interrupted)) tell(await withReason(error, asked, io.env), io);
    io.stdout.write('quit=1\n');
  }
}

async function credentials(request: Uint8Array, asked: GitCredentialRequest, io: HelperIo): Promise<string> {
  // We ask the agent first, so that it works while Git prints its settings. The agent's answer is used only once we know these
  // settings, and its refusal only after we have tried a login.
  const given = gitCredentials(request, io.env);
  given.catch(() => {});
  // With `authtype`, the answer tells Git to let no helper store the credential (`ephemeral`).
  if (!asked.authtype) {
    // The next step blocks while Git runs. One turn of the event loop first sends our request to the agent.
    await new Promise(setImmediate);
    await refuseIfStoredByOthers(asked, io.env);
  }
  try {
    return await given;
  } catch (error) {
    const { category, what } = asProblem(error);
    if (category !== 'no-session' || !personIsThere(io.stderr, io.env)) throw error;
    if (wantsSilence(configFor(asked, await credentialEntries(io.env)).interactive)) throw error;
    // Loaded only here: without a person at the terminal the answer must come at once.
    const { chooseProfile } = await import('../aws/config/choose-profile.ts');
    const { vouchProfiles } = await import('../aws/config/profiles.ts');
    // Without a role a session is of no use. So we report that before we ask the person for a touch.
    chooseProfile(await vouchProfiles(io.env), asked);
    const { logInWhenNeeded } = await import('../login/auto-login.ts');
    await logInWhenNeeded(what, io.stderr, io.env);
    return gitCredentials(request, io.env);
  }
}

/** Adds why a request has no path. Only we can find out: Git does not send the path, or was asked about a whole host. */
async function withReason(error: unknown, asked: GitCredentialRequest, env: NodeJS.ProcessEnv): Promise<unknown> {
  const problem = asProblem(error);
  if (problem.kind !== 'no-path') return error;
  const entries = await credentialEntries(env).catch(() => []);
  if (configFor(asked, entries).useHttpPath?.value !== true) return error;
  return new Problem({
    ...problem,
    why: 'The program that asked Git for credentials named only the host.',
    fix: `Name the whole URL of a repository, such as https://${asked.host}/v1/repos/demo.`,
  });
}

function tell(error: unknown, { stderr }: HelperIo): void {
  const problem = asProblem(error);
  // Without a session there is one thing to do, whatever the reason. So one line is enough.
  const lines = problem.category === 'no-session' ? [sentence(problem)] : problem.lines();
  stderr.write(lines.map((line) => `vouch: ${line}\n`).join(''));
}

function sentence({ what, fix }: { what: string; fix: string }): string {
  return printable(`${what} ${fix}`);
}
