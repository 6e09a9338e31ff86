import { launchd } from './launchd.ts';
import type { Manager } from './manager.ts';
import { systemd } from './systemd.ts';

/** The manager of services of a platform; undefined where there is none that Vouch knows. */
export function managerOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): Manager | undefined {
  if (platform === 'linux') return systemd(env);
  if (platform === 'darwin') return launchd(env);
  return undefined;
}
