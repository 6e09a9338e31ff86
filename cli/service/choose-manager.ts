import { Problem } from '../problem/problem.ts';
import { launchd } from './launchd-manager.ts';
import type { Manager } from './manager.ts';
import { systemd } from './systemd-manager.ts';

/**
 * A platform's service manager.
 *
 * @throws Problem `no-service` when Vouch supports none on this platform
 */
export function managerOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): Manager {
  if (platform === 'linux') return systemd(env);
  if (platform === 'darwin') return launchd(env);
  throw new Problem({
    kind: 'no-service',
    what: 'Vouch cannot make its agent a service on this system.',
    why: `Vouch supports systemd and launchd, but this is ${platform}.`,
    fix: 'Use Vouch without a service: `vouch login` starts the agent.',
  });
}
