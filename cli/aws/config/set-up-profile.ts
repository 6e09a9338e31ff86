import { replaceFile } from '../../files/replace-file.ts';
import { awsConfigFile } from '../../paths.ts';
import type { Note } from '../../problem/note.ts';
import { Problem } from '../../problem/problem.ts';
import type { Ask } from '../../terminal/dialog.ts';
import { type ChangedLine, lineDiff } from '../../terminal/line-diff.ts';
import { printable } from '../../text/printable.ts';
import { askForProfile, type ProfileParts } from './ask-profile.ts';
import { chainSettings } from './chained-profile.ts';
import { roleOfCredentialProcess } from './credential-process.ts';
import { findProfile, hasSettings, type ProfileSettings, putDefault, putProfile, removeProfile } from './edit.ts';
import { linesOf, settingsOf } from './lines.ts';
import { wrongExternalId, wrongProfileName, wrongRegion, wrongRole } from './profile-checks.ts';
import { vouchProfiles } from './profiles.ts';
import { readConfigFile } from './read.ts';
import { vouchCommand } from './vouch-command.ts';

export interface SetUpOptions {
  /** The ARN of the role; without it a person is asked, if there is one. */
  role?: string;
  /** The region that the profile is for. */
  region?: string;
  /** The profile's name; `vouch` by default. */
  profile?: string;
  /** The profile of Vouch that the role is assumed through, for role chaining. */
  sourceProfile?: string;
  /** The external ID that the chained role's trust policy requires (`sts:ExternalId`). */
  externalId?: string;
  /** Whether Vouch is named by its path. */
  absolute?: boolean;
  /** Whether an existing profile of that name may be changed. */
  force?: boolean;
  /** Takes the profile out again. */
  remove?: boolean;
  /** Finds out what would be changed, and changes nothing. */
  dryRun?: boolean;
}

/** The changes that `setUpProfile` has made, or would make. */
export interface Report {
  file: string;
  profile: string;
  change: 'none' | 'written' | 'changed' | 'removed';
  dryRun: boolean;
  /** The profile's role and settings afterwards; undefined when it is gone. */
  role: string | undefined;
  settings: ProfileSettings | undefined;
  /** The file's changed lines, without secrets. */
  diff: ChangedLine[];
  /** The only Vouch profile before this change. It stays the default. */
  staysDefault: string | undefined;
}

/** A change of the file's text, before it is written. */
interface Change extends Pick<Report, 'profile' | 'change'> {
  role?: string;
  settings?: ProfileSettings;
  /** The file's text afterwards. */
  text: string;
  staysDefault?: string;
}

/** AWS's config file, as it is. */
interface ConfigFile {
  path: string;
  text: string;
}

/**
 * Writes a profile that gets its credentials from Vouch into AWS's config file, or takes it out.
 *
 * @param env where AWS_CONFIG_FILE, HOME, AWS_REGION and PATH are looked up
 * @param ask asks a person for what is missing in the options; without `ask` the needed options must be there
 * @throws Problem `usage`, `profile-exists`, `profile-twice`, `profile-in-use`, `not-ours`, `vouch-path`, `config-file`, or as
 *   `replaceFile`; whatever `ask` throws
 */
export async function setUpProfile(options: SetUpOptions, env: NodeJS.ProcessEnv, ask?: Ask): Promise<Report> {
  const path = awsConfigFile(env);
  const file = { path, text: readConfigFile(path) };
  const { profile, change, role, settings, text, staysDefault } = options.remove
    ? await removal(options, file, env)
    : await addition(options, file, env, ask);
  const { dryRun = false } = options;
  if (change !== 'none' && !dryRun) replaceFile(path, text);
  return { file: path, profile, change, dryRun, role, settings, diff: withoutSecrets(file.text, text), staysDefault };
}

async function addition(
  options: SetUpOptions,
  file: ConfigFile,
  env: NodeJS.ProcessEnv,
  ask: Ask | undefined,
): Promise<Change> {
  check(options.role === undefined ? undefined : wrongRole(options.role));
  check(options.profile === undefined ? undefined : wrongProfileName(options.profile));
  check(options.externalId === undefined ? undefined : wrongExternalId(options.externalId));
  if (options.externalId !== undefined && options.sourceProfile === undefined) {
    throw new Problem({
      kind: 'usage',
      what: 'An external id is only for a chained role.',
      fix: 'Name the profile it is assumed through: --source-profile.',
    });
  }
  const { role, profile, region } = await complete(options, file, env, ask);
  check(region === undefined ? undefined : wrongRegion(region, role));
  const { sourceProfile: source, externalId, absolute = false, force = false } = options;
  const settings: ProfileSettings =
    source === undefined
      ? { credential_process: `${vouchCommand(absolute, env)} credential aws --role ${role}` }
      : chainSettings(await vouchProfiles(env), { role, profile, source, externalId });
  if (region !== undefined) settings.region = region;

  const found = settingsOfProfile(profile, file);
  if (found !== undefined) {
    if (hasSettings(found, settings)) return { profile, change: 'none', role, settings, text: file.text };
    if (!force) throw taken(profile, found, file);
  }
  const change = found === undefined ? 'written' : 'changed';
  const text = putProfile(file.text, profile, settings);
  const [only, another] = await vouchProfiles(env);
  if (only === undefined || another !== undefined || only.name === profile) {
    return { profile, change, role, settings, text };
  }
  const { name, isDefault } = only;
  return { profile, change, role, settings, text: isDefault ? text : putDefault(text, name), staysDefault: name };
}

/** The options, completed by a person's answers. */
async function complete(
  { role, profile, region, force = false }: SetUpOptions,
  file: ConfigFile,
  env: NodeJS.ProcessEnv,
  ask: Ask | undefined,
): Promise<ProfileParts & { role: string; profile: string }> {
  if (role !== undefined) return { role, profile: profile ?? 'vouch', region };
  if (ask === undefined) {
    throw new Problem({
      kind: 'usage',
      what: 'No role was named.',
      why: 'Without a terminal, nobody can be asked for it.',
      fix: 'Name it with --role (it looks like arn:aws:iam::123456789012:role/VouchDeveloper), or run this on a terminal.',
    });
  }
  const { AWS_REGION, AWS_DEFAULT_REGION } = env;
  const ofDefault = settingsOfProfile('default', file)?.get('region');
  const isTaken = (name: string, wanted: string) => {
    const found = settingsOfProfile(name, file);
    const same = roleOfCredentialProcess(found?.get('credential_process') ?? '')?.arn === wanted;
    return found === undefined || same || force ? undefined : taken(name, found, file);
  };
  return askForProfile(ask, { role, profile, region }, [AWS_REGION, AWS_DEFAULT_REGION, ofDefault], isTaken);
}

async function removal(
  { profile, force = false }: SetUpOptions,
  file: ConfigFile,
  env: NodeJS.ProcessEnv,
): Promise<Change> {
  if (profile === undefined) {
    throw new Problem({
      kind: 'usage',
      what: 'No profile was named.',
      fix: 'Name the one to remove with --profile.',
    });
  }
  check(wrongProfileName(profile));
  if (settingsOfProfile(profile, file) === undefined) return { profile, change: 'none', text: file.text };
  const profiles = await vouchProfiles(env);
  if (!profiles.some(({ name }) => name === profile)) {
    throw new Problem({
      kind: 'not-ours',
      what: `The profile "${profile}" in ${file.path} is not Vouch's.`,
      why: profiles.length === 0 ? 'It has none.' : `Vouch's are: ${profiles.map(({ name }) => name).join(', ')}.`,
      fix: 'Remove it in an editor, if you want to.',
    });
  }
  const users = profiles.filter(({ source }) => source?.name === profile).map(({ name }) => name);
  if (users.length > 0 && !force) {
    throw new Problem({
      kind: 'profile-in-use',
      what: `The profile "${profile}" is what other profiles are assumed through: ${users.join(', ')}.`,
      fix: 'Remove them first, or use --force.',
    });
  }
  return { profile, change: 'removed', text: removeProfile(file.text, profile) };
}

/** The settings of a profile; undefined when the file has none of that name. */
function settingsOfProfile(name: string, { path, text }: ConfigFile): Map<string, string> | undefined {
  const lines = linesOf(text);
  const [section, second] = findProfile(lines, name);
  if (second !== undefined) {
    throw new Problem({
      kind: 'profile-twice',
      what: `${path} has the profile "${name}" twice.`,
      why: "AWS's tools disagree about what that means.",
      fix: 'Make it one, then try again.',
    });
  }
  return section && settingsOf(lines, section);
}

function taken(profile: string, settings: ReadonlyMap<string, string>, { path }: ConfigFile): Problem {
  const has = settings.get('credential_process') ?? settings.get('role_arn');
  return new Problem({
    kind: 'profile-exists',
    what: `${path} has another profile "${profile}" already.`,
    why: has === undefined ? `Its settings are: ${[...settings.keys()].join(', ')}.` : `It says: ${has}`,
    fix: 'Choose another name with --profile, or change that one with --force.',
  });
}

/** The changed lines, as a person may see them. */
function withoutSecrets(before: string, after: string): ChangedLine[] {
  return lineDiff(before, after).map(({ sign, line }) => ({
    sign,
    line: printable(line.replace(/^(\s*aws_(?:secret_access_key|session_token)\s*=).*/i, '$1 …')),
  }));
}

function check(wrong: Note | undefined): void {
  if (wrong) throw new Problem({ kind: 'usage', ...wrong });
}
