import type { GitUrlPattern } from '../../aws/codecommit/hosts.ts';
import { shellWord } from '../../aws/config/command-line.ts';
import { type VouchProfile, vouchProfiles } from '../../aws/config/profiles.ts';
import { findOnPath } from '../../files/on-path.ts';
import type { Note } from '../../problem/note.ts';
import { Problem } from '../../problem/problem.ts';
import { credentialHelperScript } from '../../programs.ts';
import { type ChangedLine, lineDiff } from '../../terminal/line-diff.ts';
import { credentialEntries, type Origin } from '../credential-entries.ts';
import { checkGit, type GitVersion, isAtLeast, takesEphemeral } from '../git.ts';
import { helperByPath, vouchHelper } from '../vouch-helper.ts';
import { changeConfigFile } from './change-file.ts';
import type { GitSetting } from './git-setting.ts';
import { httpSettings, proactiveAuth } from './http-settings.ts';
import { profilesForUrls } from './names-in-urls.ts';
import { obstaclesForPatterns } from './obstacles-for-patterns.ts';
import { addOurs, type HelperSection, ourSections, removeOurs } from './our-settings.ts';
import { remoteHelper } from './remote-helper.ts';
import { type Scope, scopeFile } from './scope-file.ts';
import { urlPatterns } from './url-patterns.ts';

export interface SetUpOptions {
  /** Whose file is changed; by default the user's own. */
  scope?: Scope;
  /** Only this region's hosts. */
  region?: string | undefined;
  /** Only this host or repository. */
  url?: string | undefined;
  /** The AWS profile whose role serves these URLs. */
  profile?: string | undefined;
  /** The AWS profile whose name may stand in URLs, however many there are. */
  user?: string | undefined;
  /** Writes the absolute paths of the helper and of Node. */
  absolute?: boolean | undefined;
  /** False to set nothing up for `codecommit://`. */
  remoteHelper?: boolean;
  /** Takes away what setup added. */
  remove?: boolean;
  /** Finds out what would be changed, and changes nothing. */
  dryRun?: boolean;
}

/** What `setUpCodeCommit` has changed, or would change. */
export interface Report {
  gitVersion: string;
  file: string;
  scope: Scope;
  /** Whether the file has been changed, or would be. */
  changed: boolean;
  dryRun: boolean;
  diff: ChangedLine[];
  /** The names of the settings that were added or replaced, such as `useHttpPath`. */
  written: ReadonlySet<string>;
  /** Whether other files still have Git ask Vouch, after a removal. */
  stillAsked: boolean;
  notes: Note[];
}

/** What an addition or a removal has done. */
type Change = Pick<Report, 'file' | 'notes'> &
  Partial<Pick<Report, 'written' | 'stillAsked'>> & { before: string; after: string };

/**
 * Makes Git ask Vouch for CodeCommit's credentials, in one of Git's own configuration files, or takes that away again.
 *
 * @param env where Git, its configuration and AWS_CONFIG_FILE are looked up
 * @param cwd where Git runs
 * @throws Problem `no-git`, `old-git`, `usage`, `unknown-profile`, `git-config`, or as `scopeFile` and `changeConfigFile`
 */
export async function setUpCodeCommit(options: SetUpOptions, env: NodeJS.ProcessEnv, cwd?: string): Promise<Report> {
  const version = await checkGit(env);
  const { before, after, file, notes, written, stillAsked } = await (options.remove
    ? removal(options, env, cwd)
    : addition(options, version, env, cwd));
  return {
    gitVersion: version.text,
    file,
    scope: options.scope ?? 'global',
    changed: before !== after,
    dryRun: options.dryRun === true,
    diff: lineDiff(before, after),
    written: written ?? new Set(),
    stillAsked: stillAsked ?? false,
    notes,
  };
}

async function addition(
  options: SetUpOptions,
  version: GitVersion,
  env: NodeJS.ProcessEnv,
  cwd: string | undefined,
): Promise<Change> {
  const { scope = 'global', region, url, dryRun = false } = options;
  const profiles = await vouchProfiles(env);
  const profile = options.profile === undefined ? undefined : namedProfile(options.profile, profiles);
  const patterns = urlPatterns({ region, url, profile });
  const user = options.user === undefined ? [] : [namedProfile(options.user, profiles)];
  const inUrls = profile ? [profile] : profilesForUrls(profiles);
  const settings = httpSettings(patterns, [...new Set([...inUrls, ...user])], version);
  if (options.remoteHelper !== false) {
    settings.push({ section: 'protocol.codecommit', name: 'allow', value: 'always' });
  }
  const file = await scopeFile(scope, env, cwd);
  let there = new Set<string>();
  const { before, after, result } = await changeConfigFile(file, env, { dryRun }, async (copy) => {
    const has = await copy.settings();
    there = new Set(has.map(({ section }) => section));
    return addOurs(copy, { sections: patterns.map((one) => sectionFor(one, options, has)), settings });
  });
  const notes = [...result.left.map((one) => leftAlone(one, file, settings)), ...programNotes(options, env)];
  const isLeftOut = (one: VouchProfile) =>
    !inUrls.includes(one) && httpSettings(patterns, [one], version).some(({ section }) => !there.has(section));
  const leftOut = profiles.find(isLeftOut);
  if (profile === undefined && user.length === 0 && leftOut) notes.push(...namesLeftOut(leftOut, profiles, version));
  // Git can show the effect only after the file is written.
  if (!dryRun) notes.push(...(await obstaclesForPatterns(patterns, env, takesEphemeral(version), cwd)));
  return { before, after, file, notes, written: result.written };
}

async function removal(options: SetUpOptions, env: NodeJS.ProcessEnv, cwd: string | undefined): Promise<Change> {
  const { scope = 'global', region, url, profile, dryRun = false } = options;
  const narrowed = region !== undefined || url !== undefined;
  const patterns = narrowed ? urlPatterns({ region, url }) : [];
  const only = narrowed ? (pattern: string) => patterns.some((one) => one.pattern === pattern) : undefined;
  const file = await scopeFile(scope, env, cwd);
  const { before, after } = await changeConfigFile(file, env, { dryRun }, async (copy) => {
    if (profile === undefined) return removeOurs(copy, only);
    const its = ourSections(await copy.settings()).filter(({ helper }) => vouchHelper(helper)?.profile === profile);
    return removeOurs(copy, (pattern) => its.some((one) => one.pattern === pattern) && (only?.(pattern) ?? true));
  });
  const all = !narrowed && profile === undefined;
  const others = all && !dryRun ? await otherFiles(file, env, cwd) : [];
  return { before, after, file, notes: others.map(asksStill), stillAsked: others.length > 0 };
}

/** The other files in which Git's configuration names Vouch, after our settings were removed from one file. */
async function otherFiles(file: string, env: NodeJS.ProcessEnv, cwd: string | undefined): Promise<Origin[]> {
  const entries = await credentialEntries(env, cwd);
  const ours = entries.filter(({ name, value }) => name === 'helper' && vouchHelper(value) !== undefined);
  const others = ours.map(({ origin }) => origin).filter((origin) => origin.file !== file);
  return [...new Map(others.map((origin) => [origin.file, origin])).values()];
}

function asksStill({ file = "Git's command line", scope }: Origin): Note {
  const what = `Git still asks Vouch here, by settings in ${file}.`;
  if (scope === 'command' || scope === 'worktree') return { what };
  return { what, fix: `\`vouch setup codecommit --remove --${scope}\` takes them out.` };
}

function namedProfile(name: string, profiles: readonly VouchProfile[]): VouchProfile {
  const found = profiles.find((profile) => profile.name === name);
  if (found) return found;
  const list = profiles.map((profile) => `${profile.name} (${profile.role.arn})`).join(', ');
  throw new Problem({
    kind: 'unknown-profile',
    what: `Vouch has no AWS profile "${name}".`,
    why: list === '' ? 'Your AWS config has no Vouch profile.' : `Vouch's profiles are: ${list}.`,
    fix: `Name one of those, or run \`vouch setup aws --profile ${shellWord(name)}\` first.`,
    category: 'usage',
  });
}

/** The section for a pattern, with the wanted profile; by default with the profile that it has already. */
function sectionFor({ pattern }: GitUrlPattern, options: SetUpOptions, has: readonly GitSetting[]): HelperSection {
  const before = ourSections(has).find((one) => one.pattern === pattern);
  const profile = options.profile ?? (before && vouchHelper(before.helper)?.profile);
  const rest = profile === undefined ? [] : ['--profile', profile];
  const helper = options.absolute
    ? helperByPath(credentialHelperScript(), '--node', process.execPath, ...rest)
    : ['vouch', ...rest].map(shellWord).join(' ');
  return { pattern, helper };
}

function leftAlone({ section, name, value }: GitSetting, file: string, wanted: readonly GitSetting[]): Note {
  const ours = wanted.find((one) => one.section === section && one.name === name)?.value;
  return {
    what: `${file} has ${section}.${name} = ${value}, which was not changed.`,
    why: `Vouch would set it to ${ours}.`,
  };
}

/** A newer Git needs no setting for a name. */
function namesLeftOut({ name }: VouchProfile, { length }: readonly VouchProfile[], version: GitVersion): Note[] {
  if (isAtLeast(version, proactiveAuth)) return [];
  return [
    {
      what: `With ${length} profiles, not every name was prepared for URLs such as https://${encodeURIComponent(name)}@…`,
      why: `Git ${version.text} needs four sections for each, and would read them all each time.`,
      fix: `Name those that you use: \`vouch setup codecommit --user ${shellWord(name)}\`. Addresses such as codecommit://${name}@… need none.`,
    },
  ];
}

/** Notes on programs that Git would not find, or would find before Vouch's. */
function programNotes(options: SetUpOptions, env: NodeJS.ProcessEnv): Note[] {
  const notes: Note[] = [];
  if (!options.absolute && findOnPath('git-credential-vouch', env).length === 0) {
    notes.push({
      what: 'git-credential-vouch is not on your PATH, so Git will not find it.',
      fix: 'Add the folder of the `vouch` command to your PATH, or run this with --absolute.',
    });
  }
  const remote = options.remoteHelper === false ? undefined : remoteHelper(env);
  if (remote?.isOurs === false) {
    notes.push({
      what: `Another git-remote-codecommit comes first on your PATH, so Git will use that for codecommit:// and not Vouch's: ${remote.file}.`,
      fix: 'Remove it, or put the folder of the `vouch` command before it.',
    });
  }
  return notes;
}
