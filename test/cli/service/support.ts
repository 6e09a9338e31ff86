import { appendFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { agentInstall, agentUninstall } from '../../../cli/vouch/commands/agent-service.ts';
import { type Machine, machine, read, root, runCommand } from '../support.ts';

export interface ServiceMachine extends Machine {
  /** The folder of the fake service manager. */
  fake: string;
  /** The calls of the service manager so far, one a line. */
  calls(): string[];
  install(options?: Parameters<typeof agentInstall>[0]): Promise<{ code: number; stdout: string; stderr: string }>;
  uninstall(options?: Parameters<typeof agentUninstall>[0]): Promise<{ code: number; stdout: string; stderr: string }>;
}

/**
 * A machine with a fake service manager.
 *
 * @param program the fake's name
 * @param file the fake
 */
export function serviceMachine(
  program: 'systemctl' | 'launchctl',
  file: string,
  platform: NodeJS.Platform,
): ServiceMachine {
  const the = machine();
  const fake = join(the.folder, 'fake');
  mkdirSync(fake);
  Object.assign(the.env, { FAKE: fake, HOLDER: join(root, 'test/cli/service/hold-sockets.ts') });
  the.env.PATH = [join(the.folder, 'bin'), '/usr/bin', '/bin'].join(':');
  symlinkSync(join(root, 'test/cli/service', file), join(the.folder, 'bin', program));
  onTestFinished(() => {
    for (const name of ['holder', 'agent']) kill(join(fake, name));
  });
  const say = (command: typeof agentInstall, options: object) =>
    runCommand(the.env, (io) => command(options, io, platform));
  return {
    ...the,
    fake,
    calls: () => (existsSync(join(fake, 'calls')) ? read(join(fake, 'calls')).split('\n').filter(Boolean) : []),
    install: (options = {}) => say(agentInstall, options),
    uninstall: (options = {}) => say(agentUninstall, options),
  };
}

/** Kills the process whose number is in a file, if there is one. */
export function kill(file: string): void {
  if (!existsSync(file)) return;
  try {
    process.kill(Number(read(file)), 'SIGKILL');
  } catch {
    // The process has ended by itself.
  }
}

/** A machine with systemd. */
export function systemdMachine(): ServiceMachine & { units: [socket: string, service: string] } {
  const the = serviceMachine('systemctl', 'fake-systemctl', 'linux');
  symlinkSync(join(root, 'test/cli/service/fake-systemd-run'), join(the.folder, 'bin/systemd-run'));
  const folder = join(the.env.HOME ?? '', '.config/systemd/user');
  return { ...the, units: [join(folder, 'vouch-agent.socket'), join(folder, 'vouch-agent.service')] };
}

export function tamperWith(path: string): void {
  appendFileSync(path, '# mine\n');
}
