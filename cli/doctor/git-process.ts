import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a run of Git ended, and what Git printed. */
export interface GitAnswer {
  /** Git's exit code; 128 when we ended Git. */
  code: number;
  stdout: string;
  stderr: string;
  /** Whether we ended Git because it took too long. */
  late: boolean;
}

/** The longest that Git may take to reach a server, in milliseconds. */
const gitTimeout = 10_000;

/** Longer than any answer that matters, in characters. */
const longest = 256 * 1024;

/** As GitAnswer, with the programs that Git has started. */
export interface WatchedAnswer extends GitAnswer {
  /** The command lines of all programs that Git started, also through other Gits; undefined when Git left no trace. */
  started: string[] | undefined;
}

/**
 * As `runGit`, and lists the programs that Git starts (git(1), api-trace2: `child_start`). Git writes the trace to a file in a new
 * folder, which is removed afterwards. An open descriptor would not do: the Node behind codecommit:// passes none on. Vouch's command
 * lines contain no secret.
 */
export async function runGitWatched(
  args: readonly string[],
  how: Parameters<typeof runGit>[1],
): Promise<WatchedAnswer> {
  const folder = await mkdtemp(join(tmpdir(), 'vouch-doctor-'));
  try {
    const file = join(folder, 'trace');
    const answer = await runGit(args, { ...how, trace: file });
    const trace = await readFile(file, 'utf8').catch(() => undefined);
    return { ...answer, started: trace?.split('\n').flatMap(startedIn) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function startedIn(line: string): string[] {
  if (!line.startsWith('{"event":"child_start"')) return [];
  try {
    const { argv } = JSON.parse(line) as { argv?: unknown };
    return Array.isArray(argv) ? [argv.join(' ')] : [];
  } catch {
    return [];
  }
}

/**
 * Runs Git unattended: Git asks for no password, opens no window, starts no login, and has no terminal. After the time limit, Git is
 * ended with everything that it started.
 *
 * @param args without `git`
 * @param how `input` for Git's standard input; `timeout` in milliseconds; `trace`, the file for Git's trace
 * @throws the reason of the signal, once it is aborted; ENOENT when there is no Git
 */
export async function runGit(
  args: readonly string[],
  how: {
    env: NodeJS.ProcessEnv;
    cwd: string;
    signal: AbortSignal;
    input?: string;
    timeout?: number;
    program?: string;
    trace?: string;
  },
): Promise<GitAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<GitAnswer>();
  how.signal.throwIfAborted();
  // In its own session Git has no terminal to ask on (setsid(2)), and we can end its process group.
  const child = spawn(how.program ?? 'git', args, {
    env: { ...unattended(how.env), ...(how.trace !== undefined && { GIT_TRACE2_EVENT: how.trace }) },
    cwd: how.cwd,
    detached: true,
    stdio: 'pipe',
  });
  let late = false;
  const answer = { stdout: '', stderr: '' };
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  const timer = setTimeout(() => {
    late = true;
    end();
  }, how.timeout ?? gitTimeout);
  how.signal.addEventListener('abort', end, { once: true });
  const tidy = () => {
    clearTimeout(timer);
    how.signal.removeEventListener('abort', end);
  };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      answer[name] = (answer[name] + text).slice(0, longest);
    });
  }
  // Git may close its input without reading it.
  child.stdin.on('error', () => {});
  child.stdin.end(how.input ?? '');
  // A process that Git started in another session may keep the pipes open.
  child.once('exit', () => {
    if (late || how.signal.aborted) for (const name of ['stdout', 'stderr'] as const) child[name].destroy();
  });
  child.once('error', (error) => {
    tidy();
    reject(error);
  });
  child.once('close', (code) => {
    tidy();
    if (how.signal.aborted) reject(how.signal.reason);
    else resolve({ code: code ?? 128, ...answer, late });
  });
  return promise;
}

/** git(1): with GIT_TERMINAL_PROMPT=0 neither Git nor our helper asks for anything; an empty GIT_ASKPASS overrides core.askPass. */
function unattended(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // With GIT_CONFIG, `git config` would read another file than Git itself does; traces would show secrets.
  const { GIT_CONFIG: _, SSH_ASKPASS: __, ...rest } = env;
  const kept = Object.entries(rest).filter(([name]) => !/^GIT_(TRACE|CURL_VERBOSE)/.test(name));
  return {
    ...Object.fromEntries(kept),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    // No login starts then, whatever autoLogin says (login/person-is-there.ts).
    CI: 'true',
    GCM_INTERACTIVE: 'never',
    LC_ALL: 'C',
  };
}
