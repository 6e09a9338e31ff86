import { join } from 'node:path';
import { absolute, home } from '../paths.ts';
import { Problem } from '../problem/problem.ts';
import { programFile } from '../programs.ts';
import { runtimeFolders } from '../runtime-folder/runtime-folder.ts';
import type { Manager, ServiceForm } from './manager.ts';
import { run, succeed } from './run-command.ts';
import { pathVariables, serviceEnvironment } from './service-environment.ts';
import { namespaceOptions, programsOf, serviceText, serviceUnit, socketText, socketUnit } from './systemd-units.ts';

/** The user's own systemd. It opens the agent's sockets, and starts the agent at the first connection. */
export function systemd(env: NodeJS.ProcessEnv): Manager {
  const folder = unitFolder(env);
  const paths = [socketUnit, serviceUnit].map((name) => join(folder, name));
  const systemctl = (...args: string[]) => succeed('systemctl', ['--user', ...args], env);
  return {
    name: 'systemd',
    holdsSockets: true,
    paths,
    form: () => form(env, paths),
    programsOf,
    check: () => check(env),
    start: async () => {
      await systemctl('daemon-reload');
      // Otherwise systemd would keep the sockets of an earlier version of the unit.
      await systemctl('stop', socketUnit, serviceUnit);
      // Clears the count of earlier failed starts. Fails if there were none; we ignore that.
      await run('systemctl', ['--user', 'reset-failed', socketUnit, serviceUnit], env);
      await systemctl('enable', '--now', socketUnit);
    },
    stop: async () => {
      await systemctl('disable', '--now', socketUnit);
      await systemctl('stop', serviceUnit);
    },
    forget: async () => {
      await systemctl('daemon-reload');
    },
  };
}

/** The folder of a user's own units (systemd.unit(5)). */
function unitFolder(env: NodeJS.ProcessEnv): string {
  return join(absolute(env.XDG_CONFIG_HOME) ?? join(home(env), '.config'), 'systemd', 'user');
}

async function form(env: NodeJS.ProcessEnv, [socket = '', service = '']: string[]): Promise<ServiceForm> {
  const environment = serviceEnvironment(env);
  const programs = { node: process.execPath, agent: programFile('agent') };
  const needed = [...Object.values(programs), env.HOME, env.AWS_CONFIG_FILE, ...pathVariables.map((name) => env[name])];
  const inTmp = needed.find((path) => path && /^\/(var\/)?tmp\//.test(path));
  const namespaces = await canHideFiles(env);
  const notes: string[] = [];
  if (!namespaces) {
    notes.push(
      'The agent may write to your files, and sees all of /tmp and your devices: on this system, systemd cannot hide them.',
    );
  } else if (inTmp) {
    notes.push(`The agent sees all of /tmp, because it needs ${inTmp}.`);
  }
  const text = serviceText({ ...programs, environment, namespaces, privateTmp: inTmp === undefined });
  return {
    files: [
      { path: socket, text: socketText() },
      { path: service, text },
    ],
    notes,
  };
}

/**
 * Whether the user's systemd can protect files. It needs user namespaces for that, which some systems forbid: then systemd does
 * not start the service, or silently starts it unprotected. So we let systemd start a program that checks.
 */
async function canHideFiles(env: NodeJS.ProcessEnv): Promise<boolean> {
  const options = namespaceOptions(true).flatMap((option) => ['-p', option]);
  // Looks for a read-only root: a mount point and its options (proc_pid_mountinfo(5)).
  const look = ['grep', '-qE', '^[^ ]+ [^ ]+ [^ ]+ [^ ]+ / ro[, ]', '/proc/self/mountinfo'];
  const { failure } = await run('systemd-run', ['--user', '--wait', '--collect', '--quiet', ...options, ...look], env);
  return failure === undefined;
}

async function check(env: NodeJS.ProcessEnv): Promise<void> {
  const { stdout, failure } = await run('systemctl', ['--user', 'show-environment'], env);
  if (failure !== undefined) {
    throw new Problem({
      kind: 'no-systemd',
      what: 'Your own systemd, which would run the agent as a service, cannot be reached.',
      why: failure,
      fix: 'Use Vouch without a service: `vouch login` starts the agent. (There is none in a container, in WSL without systemd, or under `su`.)',
    });
  }
  const its = /^XDG_RUNTIME_DIR=(.*)$/m.exec(stdout)?.[1];
  const [ours] = runtimeFolders(env);
  if (its !== undefined && join(its, 'vouch') === ours) return;
  throw new Problem({
    kind: 'other-folder',
    what: 'systemd would put the sockets into a folder where Vouch does not look.',
    why: `Vouch looks in ${ours}, and systemd has ${its === undefined ? 'no folder for sockets' : join(its, 'vouch')}.`,
    fix: its === undefined ? '' : `Set XDG_RUNTIME_DIR=${its} in your shell profile, then try again.`,
  });
}
