import { existsSync } from 'node:fs';
import { readTextIfThere } from '../files/read-file.ts';
import { managerOf } from './choose-manager.ts';
import { authorOf } from './written-by-us.ts';

/**
 * A program that the agent's service names, but that no longer exists: an update may have put Node into another folder. The service
 * then cannot start an agent.
 *
 * @returns undefined when all of them exist, and when there is no service
 */
export function goneProgram(env: NodeJS.ProcessEnv, platform = process.platform): string | undefined {
  const manager = managerOf(platform, env);
  const texts = (manager?.paths ?? []).map(readTextIfThere).filter((text) => text !== undefined);
  const ours = texts.filter((text) => authorOf(text) !== 'other');
  return ours.flatMap((text) => manager?.programsOf(text) ?? []).find((path) => !existsSync(path));
}
