import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Problem } from '../../problem/problem.ts';
import { programFile } from '../../programs.ts';
import { prepareRuntimeFolder } from '../../runtime-folder/check-folder.ts';
import { agentEnvironment } from '../node-environment.ts';
import { type FoundAgent, findAgent } from './find-agent.ts';
import { notStarted } from './problems.ts';

/** How long a start may take, in milliseconds. */
const startTimeout = 15_000;

/**
 * Makes sure that an agent runs: starts one unless one answers. The agent outlives us and our terminal.
 *
 * @param found what findAgent has found just now, so that it need not look again
 * @returns whether it was started by this call
 * @throws Problem when one hangs, or it cannot start (an unsafe folder, too long a path), with the agent's own reason
 */
export async function startAgent(env: NodeJS.ProcessEnv, found?: FoundAgent): Promise<{ started: boolean }> {
  prepareRuntimeFolder(env);
  const there = found ?? (await findAgent(env));
  if (there.state === 'running') return { started: false };
  if (there.state === 'hung') throw there.problem;
  return launch(env, []).ready;
}

/** An agent that was started before there is a session for it. */
export interface AgentAhead {
  /** Settles when it has come as far as it will, unless it is let go of before; it never fails. */
  started: Promise<void>;
  /** Lets go of it: it ends unless it has a session. The end of our process, whatever ends it, does the same. */
  release(): void;
}

/**
 * Starts an agent for a login that may come to nothing: while the person reaches for the key it can become ready. Where one runs by
 * now, that one stays, and ours ends. What keeps it from starting is not told; `handOverSession` tries again, and tells.
 */
export function startAgentAhead(env: NodeJS.ProcessEnv): AgentAhead {
  const { child, ready } = launch(env, ['--ahead']);
  return {
    started: ready.then(
      () => {},
      () => {},
    ),
    release: () => {
      child.unref();
      for (const pipe of child.stdio) pipe?.destroy();
    },
  };
}

/**
 * What Node cannot do: set a limit without which a crash would write the agent's memory to the disk, and close what we have open
 * without our knowing. No shell that is a `sh` need know descriptors of two digits (bash does, which `sh` is on macOS); the agent is told of
 * those, and closes them (inherited.ts). The shell then becomes the agent.
 */
const becomeAgent = `ulimit -c 0
left=
for fd in /dev/fd/*; do
  fd=\${fd##*/}
  case $fd in
    [3-9]) ;;
    [1-9][0-9]*)
      # Not what the list itself was read with.
      [ -e "/dev/fd/$fd" ] || continue
      [ "\${BASH_VERSION-}" ] || { left=$left,$fd; continue; }
      ;;
    *) continue ;;
  esac
  eval "exec $fd>&-"
done
exec "$@" "--inherited=\${left#,}"`;

/** Runs the agent's program; `ready` settles as startAgent does. */
function launch(env: NodeJS.ProcessEnv, args: readonly string[]) {
  // Without --disable-sigusr1 a signal opens Node's inspector, on a port that any local user can connect to.
  // One thread is enough for V8's work in the background, and fewer are less memory.
  const command = [process.execPath, '--disable-sigusr1', '--v8-pool-size=1', programFile('agent'), ...args];
  const child = spawn('/bin/sh', ['-c', becomeAgent, 'sh', ...command], {
    cwd: '/',
    detached: true,
    env: agentEnvironment(env),
    // The other end of an agent's standard input that was started ahead: it notices when we end.
    stdio: [args.includes('--ahead') ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  // Neither the agent nor what it reads keeps us.
  (child.stdin as Socket | null)?.on('error', () => {}).unref();
  return { child, ready: readiness(child) };
}

async function readiness(child: ChildProcess): Promise<{ started: boolean }> {
  const { stdout, stderr } = child as ChildProcessByStdio<null, Readable, Readable>;
  const timer = setTimeout(() => child.kill('SIGKILL'), startTimeout).unref();
  let said = '';
  stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2000);
  });
  try {
    const exited = new Promise<never>((_, reject) => {
      child.once('error', (error) => reject(notStarted(error.message)));
      child.once('close', () => reject(notStarted(said)));
    });
    const line = await Promise.race([firstLine(stdout), exited]);
    const { state, problem } = JSON.parse(line) as { state: string; problem?: unknown };
    if (state === 'ready') return { started: true };
    if (state === 'running') return { started: false };
    throw Problem.fromJSON(problem) ?? notStarted(line);
  } finally {
    clearTimeout(timer);
    stdout.destroy();
    stderr.destroy();
    child.unref();
  }
}

function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: stream }).once('line', resolve);
  });
}
