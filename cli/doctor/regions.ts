import type { VouchProfile } from '../aws/config/profiles.ts';
import type { Visit } from './check.ts';
import type { Target } from './target-repository.ts';
import { listToPull } from './try-pull-push.ts';

/** A place to look for a repository. */
export interface Place {
  profile: string;
  region: string;
  url: string;
}

/** At most this many places are tried: each takes a while. */
const most = 12;

/**
 * Looks for a repository of that name in the regions of all profiles: with the chosen profile in every region, and with each other
 * profile in that profile's region.
 *
 * @returns the places that were tried, and the place of the repository, if it was found
 */
export async function findElsewhere(visit: Visit): Promise<{ tried: Place[]; found: Place | undefined }> {
  const target = visit.target as Target;
  const { profile, profiles = [] } = visit.facts;
  const places = new Map<string, Place>();
  const add = (of: VouchProfile, region: string) => {
    const url = inRegion(target, region);
    const same = of.name === profile?.name && region === target.host.region;
    if (same || !of.role.partition.region.test(region) || of.role.partition.id !== target.host.partition.id) return;
    places.set(`${of.name} ${region}`, { profile: of.name, region, url });
  };
  const regions = new Set(profiles.flatMap(({ region }) => (region === undefined ? [] : [region])));
  if (profile) for (const region of regions) add(profile, region);
  for (const other of profiles) add(other, other.region ?? target.host.region);
  const tried = [...places.values()].slice(0, most);
  const results = await Promise.all(
    tried.map(({ url, profile: name }) => listToPull(visit, url, ['-c', `credential.${url}.username=${name}`])),
  );
  return { tried, found: tried.find((_, index) => results[index]?.outcome === 'done') };
}

/** The same repository's URL in another region. */
function inRegion({ https, host }: Target, region: string): string {
  return https.replace(host.host, host.host.replace(`.${host.region}.`, `.${region}.`));
}
