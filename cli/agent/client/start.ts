import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Problem } from '../../problem/problem.ts';
import { programFile } from '../../programs.ts';
import { prepareRuntimeFolder } from '../../runtime-folder/prepare-folder.ts';
import { agentEnvironment } from './agent-environment.ts';
import { type FoundAgent, findAgent } from './find-agent.ts';
import { notStarted } from './problems.ts';

/** How long a start may take, in milliseconds. */
const startTimeout = 15_000;

/**
 * Makes sure that an agent runs: starts one unless one answers. The agent outlives us and our terminal.
 *
 * @param found the agent's state, if findAgent has just found it; by default it is called here
 * @returns whether it was started by this call
 * @throws Problem when an agent hangs, or cannot start (an unsafe folder, too long a path), with the agent's own reason
 */
export async function startAgent(env: NodeJS.ProcessEnv, found?: FoundAgent): Promise<{ started: boolean }> {
  prepareRuntimeFolder(env);
  const there = found ?? (await findAgent(env));
  if (there.state === 'running') return { started: false };
  if (there.state === 'hung') throw there.problem;
  return launch(env, []).ready;
}

/** An agent that was started before its session exists. */
export interface AgentAhead {
  /** Settles when it is ready, or will not be. It never fails. */
  started: Promise<void>;
  /** Releases the agent, which then ends unless it has a session. The same happens when we exit. */
  release(): void;
}

/**
 * Starts an agent for a login that is under way, so that it is ready when the person has touched the key. If another agent runs
 * by now, ours ends. A failure is not reported: `handOverSession` tries again, and reports it.
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
 * The shell does what Node cannot: it sets the limit that keeps a crash from writing the agent's memory to the disk, and closes
 * descriptors that we do not know of. A `sh` need not understand descriptors of two digits (bash does, which is `sh` on macOS),
 * so the agent gets a list of those and closes them (process/close-inherited-files.ts). Then the shell becomes the agent.
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
  // One thread is enough for V8's work in the background, and takes less memory.
  const command = [process.execPath, '--disable-sigusr1', '--v8-pool-size=1', programFile('agent'), ...args];
  const child = spawn('/bin/sh', ['-c', becomeAgent, 'sh', ...command], {
    cwd: '/',
    detached: true,
    env: agentEnvironment(env),
    // An agent that was started ahead notices our end by the end of its standard input.
    stdio: [args.includes('--ahead') ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  // Neither the agent nor its standard input keeps us from ending.
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
