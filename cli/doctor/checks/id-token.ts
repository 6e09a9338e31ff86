import { roleClaims } from '../../agent/client/requests.ts';
import type { VouchProfile } from '../../aws/config/profiles.ts';
import { clockTime } from '../../text/time.ts';
import type { Check, Visit } from '../check.ts';

/** The server gives an ID token for the role. The claims are shown, but never the token. */
export const idToken: Check = {
  id: 'id-token',
  title: 'ID token',
  needs: () => ['session', 'server', 'profile'],
  applies: hasRole,
  run: async ({ facts, env }) => {
    const { role } = firstOf(facts.profile as VouchProfile);
    const { claims, keyId } = await roleClaims(role.arn, env);
    facts.claims = claims;
    if (keyId !== undefined) facts.keyId = keyId;
    const { exp } = claims;
    const until = typeof exp === 'number' ? `, good until ${clockTime(new Date(exp * 1000), new Date())}` : '';
    return {
      says: `for ${claims.sub}${until}`,
      details: claimLines(claims),
      data: { claims },
    };
  },
};

/** Whether there is a role to ask for: with several profiles, only a repository decides that. */
export function hasRole({ target, facts }: Visit): boolean {
  return target !== undefined || facts.profile !== undefined || (facts.profiles?.length ?? 0) < 2;
}

/** The profile at the beginning of a chain, whose role is assumed with the ID token. */
export function firstOf(profile: VouchProfile): VouchProfile {
  let first = profile;
  while (first.source) first = first.source;
  return first;
}

/** The claims that AWS looks at, one per line. */
function claimLines(claims: Record<string, unknown>): string[] {
  const names = [
    'iss',
    'aud',
    'sub',
    'https://aws.amazon.com/roles',
    'https://aws.amazon.com/source_identity',
    'https://aws.amazon.com/tags',
  ];
  return names.flatMap((name) => {
    const value = claims[name];
    if (value === undefined) return [];
    const short = name.slice(name.lastIndexOf('/') + 1);
    return [`${short}: ${words(value)}`];
  });
}

/** Of tags, only names and values are shown: Vouch's tags are always transitive. */
function words(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  const { principal_tags: tags } = value as { principal_tags?: object | null };
  return Object.entries(tags ?? {})
    .map(([name, one]) => `${name}=${words(one)}`)
    .join(', ');
}
