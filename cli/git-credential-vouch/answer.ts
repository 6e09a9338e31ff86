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

/** What the helper writes to; `process` is one. */
export interface HelperIo {
  /** Only for Git's answer. */
  stdout: { write(text: string): unknown };
  stderr: Screen;
  env: NodeJS.ProcessEnv;
}

/**
 * Answers Git's credential request through the agent, or says why it cannot. Without a session, and if a person is at the terminal,
 * it first lets them sign in.
 *
 * A request that is malformed or not about CodeCommit over HTTPS gets no answer, so that Git goes on to its other
 * helpers. When a request of ours fails, the answer is `quit=1` (git-credential(1)): Git then stops, instead of asking for
 * a user name and password that do not exist. The exit code is always 0: Git reads the answer whatever it is.
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
  // We ask the agent first, so that it works while Git prints its settings. Its answer is held back until we know these settings,
  // and a refusal until the person can be asked.
  const given = gitCredentials(request, io.env);
  given.catch(() => {});
  // A Git that takes that form is told to keep the credential to itself (`ephemeral`).
  if (!asked.authtype) {
    // What follows blocks while Git runs. One turn of the event loop sends the agent its request before that.
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
    // Without a role a session is of no use. We say so before we ask the person for a touch.
    chooseProfile(await vouchProfiles(io.env), asked);
    const { logInWhenNeeded } = await import('../login/auto-login.ts');
    await logInWhenNeeded(what, io.stderr, io.env);
    return gitCredentials(request, io.env);
  }
}

/** Says why a request has no path, which the agent cannot know: Git keeps it back, or was asked about a whole host. */
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
