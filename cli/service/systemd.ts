import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { runtimeFolder } from '../paths.ts';
import { Problem } from '../problem.ts';
import { programFile } from '../programs.ts';
import { pathVariables, serviceEnvironment } from './environment.ts';
import type { Manager, ServiceForm } from './manager.ts';
import { run, succeed } from './run.ts';
import { programsOf, serviceText, serviceUnit, socketText, socketUnit } from './systemd-units.ts';

/** The user's own systemd, which holds the agent's sockets and starts it when somebody connects. */
export function systemd(env: NodeJS.ProcessEnv): Manager {
  const folder = unitFolder(env);
  const paths = [socketUnit, serviceUnit].map((name) => join(folder, name));
  const systemctl = (...args: string[]) => succeed('systemctl', ['--user', ...args], env);
  return {
    name: 'systemd',
    holdsSockets: true,
    paths,
    forms: () => forms(env, paths),
    programsOf,
    check: () => check(env),
    start: async () => {
      await systemctl('daemon-reload');
      // A socket of an earlier text would stay as it is.
      await systemctl('stop', socketUnit, serviceUnit);
      // What an earlier try has left would count against this one; that there is nothing is no failure.
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

/** Where a user's own units are (systemd.unit(5)). */
function unitFolder({ HOME, XDG_CONFIG_HOME }: NodeJS.ProcessEnv): string {
  const config = XDG_CONFIG_HOME && isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(HOME || homedir(), '.config');
  return join(config, 'systemd', 'user');
}

function forms(env: NodeJS.ProcessEnv, [socket = '', service = '']: string[]): ServiceForm[] {
  const environment = serviceEnvironment(env);
  const programs = { node: process.execPath, agent: programFile('agent') };
  const needed = [...Object.values(programs), env.HOME, env.AWS_CONFIG_FILE, ...pathVariables.map((name) => env[name])];
  const inTmp = needed.find((path) => path && /^\/(var\/)?tmp\//.test(path));
  const form = (namespaces: boolean, notes: string[]): ServiceForm => ({
    files: [
      { path: socket, text: socketText() },
      { path: service, text: serviceText({ ...programs, environment, namespaces, privateTmp: inTmp === undefined }) },
    ],
    notes,
  });
  return [
    form(true, inTmp ? [`The agent sees the whole of /tmp, since it needs ${inTmp}.`] : []),
    form(false, [
      'The agent may write to your files, and sees all of /tmp and your devices: this system does not let systemd hide them, for want of namespaces of users.',
    ]),
  ];
}

async function check(env: NodeJS.ProcessEnv): Promise<void> {
  const { stdout, failure } = await run('systemctl', ['--user', 'show-environment'], env);
  if (failure !== undefined) {
    throw new Problem({
      kind: 'no-systemd',
      what: 'Your own systemd, which would keep the agent as a service, cannot be reached.',
      why: failure,
      fix: 'Use Vouch without a service: `vouch login` starts the agent. (In a container, in WSL without systemd and under `su` there is none.)',
    });
  }
  const its = /^XDG_RUNTIME_DIR=(.*)$/m.exec(stdout)?.[1];
  if (its !== undefined && join(its, 'vouch') === runtimeFolder(env)) return;
  throw new Problem({
    kind: 'other-folder',
    what: 'systemd would hold the sockets in another folder than the one that Vouch looks in.',
    why: `Vouch looks in ${runtimeFolder(env)}, and systemd has ${its === undefined ? 'no folder for sockets' : join(its, 'vouch')}.`,
    fix: its === undefined ? '' : `Set XDG_RUNTIME_DIR=${its} in your shell profile, then try again.`,
  });
}
