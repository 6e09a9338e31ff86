import { normalizeUrl, patternsOverlap } from '../url-match.ts';
import { vouchHelper } from '../vouch-helper.ts';
import type { ConfigCopy } from './config-copy.ts';
import type { GitSetting } from './git-setting.ts';

/**
 * Vouch's settings in one of Git's files: how they are added, found again and removed. They never replace the user's settings: an
 * empty `helper =` clears the helpers before it, and the last value of every other setting counts.
 *
 * Ours are:
 * - sections `[credential "<pattern>"]` whose helpers are an empty one and Vouch, with `useHttpPath = true`. If the user
 *   has a section of the same name, our section's name ends in a slash, which makes no difference to Git;
 * - `http.<pattern>.proactiveAuth = basic`, or `emptyAuth = true` with a user name, and `protocol.codecommit.allow = always`.
 *   If the user had such a setting already, `vouch.kept` names it, so that it stays when our settings are removed.
 */

/** Our section: which helper Git asks for which URLs. */
export interface HelperSection {
  pattern: string;
  /** The value of `helper`. */
  helper: string;
}

/** Our section as it is in the file. */
export interface OurSection extends HelperSection {
  /** The section's whole name, which may end in a slash. */
  section: string;
}

/** Our sections that are complete, in the order of the file. */
export function ourSections(settings: readonly GitSetting[]): OurSection[] {
  const found: OurSection[] = [];
  for (const [section, its] of Map.groupBy(settings, (setting) => setting.section)) {
    const values = (name: string) => its.filter((setting) => setting.name === name).map(({ value }) => value);
    const [empty, helper = '', ...more] = values('helper');
    const whole = empty === '' && vouchHelper(helper) && more.length === 0 && values('usehttppath').at(-1) === 'true';
    if (whole && section.startsWith('credential.')) found.push({ section, helper, pattern: patternOf(section) });
  }
  return found;
}

/** What `addOurs` has done. */
export interface Added {
  /** The names of the settings that were written, such as `helper`. */
  written: Set<string>;
  /** The user's settings that were left, although Vouch would write another value. */
  left: GitSetting[];
}

/**
 * Adds the wanted settings that are missing, in the order that Git needs: wide patterns first, and all our sections after other
 * helpers. Existing settings stay as they are.
 */
export async function addOurs(
  copy: ConfigCopy,
  wanted: { sections: readonly HelperSection[]; settings: readonly GitSetting[] },
): Promise<Added> {
  const before = await copy.settings();
  const isFirst = !before.some(({ name, value }) => name === 'helper' && vouchHelper(value));
  const changed = await changeHelpers(copy, before, wanted.sections);
  const arranged = await arrange(copy, wanted.sections);
  const left: GitSetting[] = [];
  const last = new Map(before.map((setting) => [`${setting.section}.${setting.name}`, setting]));
  const missing = wanted.settings.filter(({ section, name, value }) => {
    const has = last.get(`${section}.${name.toLowerCase()}`);
    if (has !== undefined && has.value !== value) left.push({ ...has, name });
    return has === undefined;
  });
  await copy.addAll(missing);
  const written = new Set([...changed, ...arranged, ...missing.map(({ name }) => name)]);
  // The user's settings that look like ours, including those for other Git versions.
  const kept = isFirst ? before.filter((setting) => isAdded(setting, false)) : [];
  await copy.addAll(kept.map(({ section, name }) => ({ section: 'vouch', name: 'kept', value: `${section}.${name}` })));
  return { written, left };
}

/**
 * Replaces our helper in sections that have it with another profile or path.
 *
 * @returns the names of the settings that were written
 */
async function changeHelpers(
  copy: ConfigCopy,
  settings: GitSetting[],
  wanted: readonly HelperSection[],
): Promise<string[]> {
  const written: string[] = [];
  for (const { section, pattern, helper } of ourSections(settings)) {
    const other = wanted.find((one) => one.pattern === pattern);
    if (!other || other.helper === helper) continue;
    await copy.replace(section, 'helper', helper, other.helper);
    written.push('helper');
  }
  return written;
}

/**
 * Adds the sections that are missing. If our sections would then be out of order, writes all of them again.
 *
 * @returns the names of the settings that were written
 */
async function arrange(copy: ConfigCopy, wanted: readonly HelperSection[]): Promise<string[]> {
  const settings = await copy.settings();
  const ours = ourSections(settings);
  const missing = wanted.filter(({ pattern }) => !ours.some((one) => one.pattern === pattern)).sort(byNarrowness);
  const unique = ours.filter(({ pattern }, i) => ours.findIndex((one) => one.pattern === pattern) === i);
  const stays = unique.length === ours.length && isOrdered([...ours, ...missing]) && !isFollowed(settings, ours);
  if (!stays)
    await removeSections(
      copy,
      ours.map(({ section }) => section),
    );
  const left = stays ? settings : await copy.settings();
  const added = stays ? missing : [...unique, ...missing].sort(byNarrowness);
  for (const { pattern, helper } of added) {
    const isTaken = left.some(({ section }) => section === `credential.${pattern}`);
    await copy.append(`credential.${pattern}${isTaken ? '/' : ''}`, [
      ['helper', ''],
      ['helper', helper],
      ['useHttpPath', 'true'],
    ]);
  }
  return added.length > 0 ? ['helper', 'useHttpPath'] : [];
}

/** Whether each section comes before narrower ones for the same URLs. Sections without a common URL may come in any order. */
function isOrdered(sections: readonly HelperSection[]): boolean {
  const urls = sections.map(({ pattern }) => normalizeUrl(pattern, { pattern: true }));
  return sections.every((wide, i) =>
    sections.slice(0, i).every((before, j) => {
      const [one, other] = [urls[i], urls[j]];
      return byNarrowness(before, wide) <= 0 || !one || !other || !patternsOverlap(one, other);
    }),
  );
}

/** Whether a setting after our first section could add another helper for our URLs. */
function isFollowed(settings: readonly GitSetting[], ours: readonly OurSection[]): boolean {
  const names = new Set(ours.map(({ section }) => section));
  const patterns = ours
    .map(({ pattern }) => normalizeUrl(pattern, { pattern: true }))
    .filter((one) => one !== undefined);
  const first = settings.findIndex(({ section }) => names.has(section));
  return settings.slice(first + 1).some(({ section, name, value }) => {
    if (first === -1 || names.has(section)) return false;
    if (/^include(if\.|$)/.test(section)) return name === 'path';
    if (!/^credential(\.|$)/.test(section) || (name !== 'helper' && (name !== 'usehttppath' || value === 'true')))
      return false;
    const pattern = normalizeUrl(section.slice('credential.'.length), { pattern: true });
    // A section without a whole URL could be for one of our URLs.
    return pattern === undefined || patterns.some((one) => patternsOverlap(one, pattern));
  });
}

/**
 * Removes our settings.
 *
 * @param only whether to remove a pattern's settings; by default all are removed
 */
export async function removeOurs(copy: ConfigCopy, only?: (pattern: string) => boolean): Promise<void> {
  const settings = await copy.settings();
  // Without our helper the other settings are the user's, even if they look like ours.
  if (!settings.some(({ name, value }) => name === 'helper' && vouchHelper(value))) return;
  const kept = new Set(settings.filter(isKept).map(({ value }) => value.toLowerCase()));
  const goes = (pattern: string) => only === undefined || only(pattern);
  const vouched = settings.filter(
    ({ section, name, value }) => name === 'helper' && section.startsWith('credential.') && vouchHelper(value),
  );
  await removeSections(
    copy,
    [...new Set(vouched.map(({ section }) => section))].filter((one) => goes(patternOf(one))),
  );

  const rest = (await copy.settings()).some(({ name, value }) => name === 'helper' && vouchHelper(value));
  const added = settings.filter(({ section, name, value }) => {
    const goesToo = goes(patternOf(section).replace(/(?<=:\/\/)[^/@]*@/, ''));
    return isAdded({ section, name, value }, rest) && goesToo && !kept.has(`${section}.${name}`.toLowerCase());
  });
  await copy.removeAll([...added, ...(rest ? [] : settings.filter(isKept))]);
}

/** Whether setup adds such a setting. `protocol.codecommit.allow` is ours to remove only with the last helper. */
function isAdded({ section, name, value }: GitSetting, helpersStay: boolean): boolean {
  if (section === 'protocol.codecommit') return name === 'allow' && value === 'always' && !helpersStay;
  if (!/^http\.https:\/\/.*git-codecommit/.test(section)) return false;
  return (
    (name === 'proactiveauth' && value === 'basic') ||
    (name === 'emptyauth' && value === 'true' && section.includes('@'))
  );
}

const isKept = ({ section, name }: GitSetting) => section === 'vouch' && name === 'kept';

/** Removes our helper, the empty one before it, and our `useHttpPath` from sections. Other settings there stay. */
async function removeSections(copy: ConfigCopy, sections: readonly string[]): Promise<void> {
  const bySection = Map.groupBy(await copy.settings(), (setting) => setting.section);
  const goes = sections.flatMap((section): GitSetting[] => {
    const values = (name: string) =>
      (bySection.get(section) ?? []).filter((setting) => setting.name === name).map(({ value }) => value);
    const helpers = values('helper');
    const ours = helpers.filter((value, i) => vouchHelper(value) && helpers[i - 1] === '');
    if (ours.length === 0) return [];
    const one = (name: string, value: string): GitSetting => ({ section, name, value });
    const found = [...new Set(ours)].map((value) => one('helper', value));
    if (helpers.filter((value) => value === '').length === ours.length) found.push(one('helper', ''));
    const paths = values('usehttppath').filter((value) => value === 'true');
    if (paths.length > 0 && paths.length <= ours.length) found.push(one('useHttpPath', 'true'));
    return found;
  });
  await copy.removeAll(goes);
}

/** The URL in a section's name, without the slash that marks a section as ours. */
function patternOf(section: string): string {
  return section.slice(section.indexOf('.') + 1).replace(/\/$/, '');
}

function byNarrowness(a: HelperSection, b: HelperSection): number {
  return narrowness(a.pattern) - narrowness(b.pattern);
}

/** How narrow a pattern is: every region, any endpoint in one region, a host, a repository. */
function narrowness(pattern: string): number {
  if (/git-codecommit(-fips)?\.\*\./.test(pattern)) return 0;
  return pattern.includes('*') ? 1 : 2 + pattern.split('/').length;
}
