import { gitCredentials } from '../agent/client/client.ts';
import { type GitCredentialRequest, parseGitRequest } from '../agent/git-request.ts';
import { codeCommitHost } from '../aws/codecommit/hosts.ts';
import { configFor, credentialEntries } from '../git/effective-config.ts';
import { personIsThere, wantsSilence } from '../login/person.ts';
import { asProblem, Problem } from '../problem/problem.ts';
import { Interrupted } from '../terminal/interrupt.ts';
import type { Screen } from '../terminal/progress-line.ts';
import { printable } from '../text/printable.ts';
import { refuseIfStoredByOthers } from './stored-by-others.ts';

/** Where the helper writes; `process` fits. */
export interface HelperIo {
  /** For Git alone: nothing but the answer. */
  stdout: { write(text: string): unknown };
  stderr: Screen;
  env: NodeJS.ProcessEnv;
}

/**
 * Answers a credential request of Git's over the agent, or says why it cannot be answered. Without a session, and where a
 * person is there, it has them sign in first.
 *
 * A request that is malformed or not about CodeCommit over HTTPS gets no answer, so that Git goes on to its other
 * helpers. Any trouble with one that is ours ends in `quit=1` (git-credential(1)): Git then stops, instead of asking for
 * a user name and password that do not exist. The exit code is 0 in every case, as Git reads the answer whatever it is.
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
  // The agent is asked first, so that it thinks while Git prints its settings. What it says is held back until these are
  // known; a refusal, too, until the person can be asked.
  const given = gitCredentials(request, io.env);
  given.catch(() => {});
  // A newer Git is told to keep it to itself (`ephemeral`).
  if (!asked.authtype) {
    // Git is waited for in place: one turn, and the agent has its request before.
    await new Promise(setImmediate);
    await refuseIfStoredByOthers(asked, io.env);
  }
  try {
    return await given;
  } catch (error) {
    const { category, what } = asProblem(error);
    if (category !== 'no-session' || !personIsThere(io.stderr, io.env)) throw error;
    // Where nobody is there, none of this is loaded: the answer comes at once.
    const { configFor, credentialEntries } = await import('../git/effective-config.ts');
    if (wantsSilence(configFor(asked, await credentialEntries(io.env)).interactive)) throw error;
    const { chooseProfile, vouchProfiles } = await import('../aws/config/profiles.ts');
    // Without a role a session is of no use: that is told before the person is asked for a touch.
    chooseProfile(await vouchProfiles(io.env), asked);
    const { logInWhenNeeded } = await import('../login/when-needed.ts');
    await logInWhenNeeded(what, io.stderr, io.env);
    return gitCredentials(request, io.env);
  }
}

/** The agent cannot know why there is no path: Git keeps it to itself, or it was asked about a whole host. */
async function withReason(error: unknown, asked: GitCredentialRequest, env: NodeJS.ProcessEnv): Promise<unknown> {
  const problem = asProblem(error);
  if (problem.kind !== 'no-path') return error;
  const entries = await credentialEntries(env).catch(() => []);
  if (configFor(asked, entries).useHttpPath?.value !== true) return error;
  return new Problem({
    ...problem,
    why: 'Whoever asked Git for credentials named the host alone.',
    fix: `Name the whole URL of a repository, such as https://${asked.host}/v1/repos/demo.`,
  });
}

function tell(error: unknown, { stderr }: HelperIo): void {
  const problem = asProblem(error);
  // Without a session there is one thing to do, whatever the reason, so one line says it all.
  const lines = problem.category === 'no-session' ? [sentence(problem)] : problem.lines();
  stderr.write(lines.map((line) => `vouch: ${line}\n`).join(''));
}

function sentence({ what, fix }: { what: string; fix: string }): string {
  return printable(`${what} ${fix}`);
}
