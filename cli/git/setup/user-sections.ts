import { vouchProfiles } from '../../aws/config/profiles.ts';
import { git, gitVersion, isAtLeast } from '../git.ts';
import { parseSettings } from './git-setting.ts';
import { httpSettings, proactiveAuth } from './http-settings.ts';
import { ourSections } from './our-settings.ts';
import { urlPatterns } from './url-patterns.ts';

/**
 * The Vouch profiles whose name cannot stand in a URL yet (`https://prod@git-codecommit…`). An older Git would send the name on
 * without asking Vouch, because `vouch setup codecommit` ran before the profile was there. To run it again is the remedy.
 *
 * @returns their names; none with a Git that needs no such sections, or where Vouch is not set up for every region
 */
export async function missingUserSections(env: NodeJS.ProcessEnv, cwd?: string): Promise<string[]> {
  const version = await gitVersion(env);
  if (isAtLeast(version, proactiveAuth)) return [];
  const { stdout } = await git(['config', '--null', '--list'], env, { cwd });
  const settings = parseSettings(stdout);
  const asked = ourSections(settings).map(({ pattern }) => pattern);
  const patterns = urlPatterns({}).filter(({ pattern }) => asked.includes(pattern));
  const has = (section: string) =>
    settings.some((setting) => setting.section === section && setting.name === 'emptyauth' && setting.value === 'true');
  const profiles = await vouchProfiles(env);
  return profiles
    .filter((profile) => httpSettings(patterns, [profile], version).some(({ section }) => !has(section)))
    .map(({ name }) => name);
}
