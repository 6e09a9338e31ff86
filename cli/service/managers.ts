import { launchd } from './launchd.ts';
import type { Manager } from './manager.ts';
import { systemd } from './systemd.ts';

/** A platform's service manager; undefined where Vouch knows none. */
export function managerOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): Manager | undefined {
  if (platform === 'linux') return systemd(env);
  if (platform === 'darwin') return launchd(env);
  return undefined;
}
