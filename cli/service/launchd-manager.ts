import { join } from 'node:path';
import { harmfulVariables } from '../agent/client/agent-environment.ts';
import { absolute, home } from '../paths.ts';
import { Problem } from '../problem/problem.ts';
import { programFile } from '../programs.ts';
import { label, plistText, programsOf } from './launchd-plist.ts';
import type { Manager } from './manager.ts';
import { run, succeed } from './run-command.ts';
import { serviceEnvironment } from './service-environment.ts';

/** The user's launchd on macOS, which starts the agent at each login. */
export function launchd(env: NodeJS.ProcessEnv): Manager {
  const path = join(home(env), 'Library', 'LaunchAgents', `${label}.plist`);
  const domain = `gui/${process.getuid?.()}`;
  const service = `${domain}/${label}`;
  const stop = async () => {
    if (await isLoaded(service, env)) await succeed('launchctl', ['bootout', service], env);
  };
  return {
    name: 'launchd',
    holdsSockets: false,
    paths: [path],
    form: async () => {
      // The agent has no other way to find the folder of its sockets.
      const folders = ['XDG_RUNTIME_DIR', 'XDG_CACHE_HOME'].map((name) => [name, absolute(env[name])]);
      const set = folders.filter(([, folder]) => folder !== undefined);
      // launchd's own environment may have these variables (launchctl setenv). A property list cannot unset them, only set them.
      const harmless = Object.fromEntries(harmfulVariables.map((name) => [name, '']));
      const environment = { ...Object.fromEntries(set), ...harmless, ...serviceEnvironment(env) };
      const text = plistText({ node: process.execPath, agent: programFile('agent'), environment });
      return { files: [{ path, text }], notes: [] };
    },
    programsOf,
    check: async () => {
      const { failure } = await run('launchctl', ['print', domain], env);
      if (failure === undefined) return;
      throw new Problem({
        kind: 'no-launchd',
        what: 'launchd, which would run the agent as a service, cannot be reached.',
        why: failure,
        fix: 'Run this in a terminal on the screen of the Mac, not over SSH; or use Vouch without a service.',
      });
    },
    start: async () => {
      await stop();
      // The user may have disabled it once.
      await succeed('launchctl', ['enable', service], env);
      await succeed('launchctl', ['bootstrap', domain, path], env);
    },
    stop,
    // launchd forgets a service that it stops.
    forget: async () => {},
  };
}

async function isLoaded(service: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return (await run('launchctl', ['print', service], env)).failure === undefined;
}
