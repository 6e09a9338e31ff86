import type { GitUrlPattern } from '../../aws/codecommit/hosts.ts';
import { credentialEntries } from '../credential-entries.ts';
import { configFor } from '../effective-config.ts';
import { type Obstacle, obstaclesFor } from '../obstacles.ts';
import { normalizeUrl, patternsOverlap } from '../url-match.ts';

/**
 * What keeps Vouch from serving these URLs alone, with all of Git's files as they are: helpers that Git reads later, or that are for
 * a narrower URL. A helper that is in the way for several URLs is reported for the first one only.
 *
 * @param ephemeral whether Git itself tells helpers not to store
 */
export async function obstaclesForPatterns(
  patterns: readonly GitUrlPattern[],
  env: NodeJS.ProcessEnv,
  ephemeral: boolean,
  cwd?: string,
): Promise<Obstacle[]> {
  const urls = new Set(patterns.map(({ pattern }) => exampleOf(pattern)));
  const entries = await credentialEntries(env, cwd);
  for (const name of new Set(entries.map((entry) => entry.section))) {
    const section = name?.slice('credential.'.length) ?? '';
    const narrower = normalizeUrl(section, { pattern: true });
    const ours = patterns.find(({ pattern }) => {
      const one = normalizeUrl(pattern, { pattern: true });
      return narrower && one && patternsOverlap(one, narrower);
    });
    if (ours) urls.add(exampleOf(ours.pattern, section));
  }
  const found = new Map<string, Obstacle>();
  for (const obstacle of [...urls].flatMap((url) => obstaclesFor(url, configFor(url, entries), { ephemeral }))) {
    const { kind, helper, origin } = obstacle;
    const setting = JSON.stringify([kind, helper?.value, helper?.section, origin]);
    if (!found.has(setting)) found.set(setting, obstacle);
  }
  return [...found.values()];
}

/** A URL that a pattern covers; with another pattern, a URL that both cover. */
function exampleOf(pattern: string, other?: string): string {
  const { host = '', path = '/' } = normalizeUrl(pattern, { pattern: true }) ?? {};
  const narrow = other === undefined ? undefined : normalizeUrl(other, { pattern: true });
  const others = narrow?.host.split('.') ?? [];
  const labels = host.split('.').map((label, i, all) => {
    if (label !== '*') return label;
    const its = others[i];
    if (its !== undefined && its !== '*') return its;
    return i === 0 && all.length > 1 && all[1]?.startsWith('git-codecommit') ? 'vpce-0example' : regionFor(host);
  });
  const paths = [path, narrow?.path ?? '/'].sort((a, b) => b.length - a.length);
  const user = narrow?.user ? `${narrow.user}@` : '';
  return `https://${user}${labels.join('.')}${paths[0] === '/' ? '/v1/repos/example' : paths[0]?.replace(/\/$/, '')}`;
}

function regionFor(host: string): string {
  if (host.endsWith('.cn')) return 'cn-north-1';
  return host.endsWith('.eu') ? 'eusc-de-east-1' : 'us-east-1';
}
