import { vouchProfiles } from '../../aws/config/profiles.ts';
import { git, gitVersion, isAtLeast } from '../git.ts';
import { parseSettings } from './git-setting.ts';
import { httpSettings, proactiveAuth } from './http-settings.ts';
import { ourSections } from './our-settings.ts';
import { urlPatterns } from './url-patterns.ts';

/**
 * The Vouch profiles that do not work as user names in URLs yet (`https://prod@git-codecommit…`). An older Git would send the name
 * without asking Vouch, because `vouch setup codecommit` ran before the profile existed. Run it again to fix that.
 *
 * @returns the profiles' names; none with a Git that needs no such sections, or if Vouch is not set up for every region
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
