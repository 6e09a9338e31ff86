import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { absolute, home } from '../paths.ts';
import { runUser } from './run-user.ts';

/**
 * The folder of the agent's sockets: `vouch` in $XDG_RUNTIME_DIR, or in logind's `/run/user/UID` where that variable does not
 * lead to a folder (in cron, under `su`); without either, and where an agent already listens there, in $XDG_CACHE_HOME or
 * `~/.cache`. `cli/git-credential-vouch/git-credential-vouch` finds it by the same rules.
 *
 * @throws Problem `no-home`
 */
export function runtimeFolder(env: NodeJS.ProcessEnv): string {
  const [first, ...others] = runtimeFolders(env);
  return [first, ...others].find((folder) => hasAgent(folder)) ?? first;
}

/** Where that folder may be; the first is where the next agent makes it, unless one listens elsewhere. */
export function runtimeFolders(env: NodeJS.ProcessEnv): [string, ...string[]] {
  const named = absolute(env.XDG_RUNTIME_DIR);
  const runtime = named !== undefined && isFolder(named) ? named : folderOfLogind();
  const cache = join(absolute(env.XDG_CACHE_HOME) ?? join(home(env), '.cache'), 'vouch');
  return runtime === undefined ? [cache] : [join(runtime, 'vouch'), cache];
}

/** The folder that systemd's logind makes for a user, which is there as long as the user has a session (or lingers). */
function folderOfLogind(): string | undefined {
  const me = process.getuid?.();
  const folder = join(runUser, String(me));
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() && found.uid === me ? folder : undefined;
}

export const agentName = 'agent.sock';

/**
 * The socket that speaks HTTP and JSON with `vouch` itself.
 *
 * @param folder the one that was checked: by the next look another one may have an agent
 */
export function agentSocket(env: NodeJS.ProcessEnv, folder = runtimeFolder(env)): string {
  return join(folder, agentName);
}

/** The socket that speaks what `git credential-cache` speaks with its daemon. */
export function gitSocket(env: NodeJS.ProcessEnv): string {
  return join(runtimeFolder(env), 'git.sock');
}

/** The socket of the sign-in that is under way, if one is (login/lock.ts); as agentSocket. */
export function loginSocket(env: NodeJS.ProcessEnv, folder = runtimeFolder(env)): string {
  return join(folder, 'login.sock');
}

/** Says that nobody answered the sign-in that Git had started last (login/unanswered.ts). */
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
