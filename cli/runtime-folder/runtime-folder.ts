import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { absolute, home } from '../paths.ts';
import { runUser } from './run-user.ts';

/**
 * The folder of the agent's sockets: `vouch` in $XDG_RUNTIME_DIR, or in logind's `/run/user/UID` if that variable does not lead
 * to a folder (in cron, under `su`). If there is neither, or while an agent listens there, it is in $XDG_CACHE_HOME or
 * `~/.cache`. `cli/git-credential-vouch/git-credential-vouch` finds it by the same rules.
 *
 * @throws Problem `no-home`
 */
export function runtimeFolder(env: NodeJS.ProcessEnv): string {
  const [first, ...others] = runtimeFolders(env);
  return [first, ...others].find((folder) => hasAgent(folder)) ?? first;
}

/** The places for the runtime folder. The next agent uses the first, unless an agent listens in the other. */
export function runtimeFolders(env: NodeJS.ProcessEnv): [string, ...string[]] {
  const named = absolute(env.XDG_RUNTIME_DIR);
  const runtime = named !== undefined && isFolder(named) ? named : folderOfLogind();
  const cache = join(absolute(env.XDG_CACHE_HOME) ?? join(home(env), '.cache'), 'vouch');
  return runtime === undefined ? [cache] : [join(runtime, 'vouch'), cache];
}

/** The folder that systemd's logind makes for a user, and keeps as long as the user has a login session (or lingers). */
function folderOfLogind(): string | undefined {
  const me = process.getuid?.();
  const folder = join(runUser, String(me));
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() && found.uid === me ? folder : undefined;
}

export const agentName = 'agent.sock';

/**
 * The socket for `vouch` itself: HTTP and JSON.
 *
 * @param folder the one that was checked; by default it is looked up again, and by then an agent may be in another one
 */
export function agentSocket(env: NodeJS.ProcessEnv, folder = runtimeFolder(env)): string {
  return join(folder, agentName);
}

/** The socket for Git: the protocol of `git credential-cache` and its daemon. */
export function gitSocket(env: NodeJS.ProcessEnv): string {
  return join(runtimeFolder(env), 'git.sock');
}

/** The socket of the sign-in under way, if there is one (login/lock.ts); as agentSocket. */
export function loginSocket(env: NodeJS.ProcessEnv, folder = runtimeFolder(env)): string {
  return join(folder, 'login.sock');
}

/** The file that records an unanswered sign-in that Git started (login/unanswered.ts). */
export function unansweredLogin(env: NodeJS.ProcessEnv): string {
  return join(runtimeFolder(env), 'login.unanswered');
}

function hasAgent(folder: string): boolean {
  try {
    return lstatSync(join(folder, agentName), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
