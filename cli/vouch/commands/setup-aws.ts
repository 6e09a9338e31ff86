import { basename } from 'node:path';
import { askForProfile } from '../../aws/config/ask-profile.ts';
import { shellWord } from '../../aws/config/command-line.ts';
import {
  findProfile,
  type ProfileSettings,
  putDefault,
  putProfile,
  removeProfile,
  saysTheSame,
} from '../../aws/config/edit.ts';
import { linesOf, settingsOf } from '../../aws/config/lines.ts';
import {
  type Wrong,
  wrongExternalId,
  wrongProfileName,
  wrongRegion,
  wrongRole,
} from '../../aws/config/profile-checks.ts';
import { roleOfCredentialProcess, type VouchProfile, vouchProfiles } from '../../aws/config/profiles.ts';
import { readConfigFile } from '../../aws/config/read.ts';
import { parseRoleArn } from '../../aws/role-arn.ts';
import { findOnPath } from '../../files/on-path.ts';
import { replaceFile } from '../../files/replace-file.ts';
import { missingUserSections } from '../../git/setup/user-sections.ts';
import { awsConfigFile } from '../../paths.ts';
import { Problem } from '../../problem/problem.ts';
import { nodeOptions } from '../../programs.ts';
import { onTerminal } from '../../terminal/ask.ts';
import type { Io } from '../../terminal/io.ts';
import { type ChangedLine, lineDiff } from '../../terminal/line-diff.ts';
import { jsonText } from '../../text/json-text.ts';
import { printable } from '../../text/printable.ts';

export interface SetupAwsOptions {
  /** The ARN of the role; asked for on a terminal. */
  role?: string;
  /** The region that the profile is for. */
  region?: string;
  /** The profile's name; `vouch` by default. */
  profile?: string;
  /** The profile of Vouch that the role is assumed through, for role chaining. */
  sourceProfile?: string;
  /** What the chained role's trust policy asks for (`sts:ExternalId`). */
  externalId?: string;
  /** Whether Vouch is named by its path. */
  absolute?: boolean;
  /** Whether an existing profile of that name may be changed. */
  force?: boolean;
  /** Takes the profile out again. */
  remove?: boolean;
  /** Shows what would be changed, and changes nothing. */
  dryRun?: boolean;
  /** JSON for programs. */
  json?: boolean;
}

/** What comes of a run: the file's new text, and what is said about it. */
interface Outcome {
  profile: string;
  /** The profile's settings afterwards; undefined when it is gone. */
  settings: ProfileSettings | undefined;
  change: 'none' | 'written' | 'changed' | 'removed';
  text: string;
  /** The profile that served alone until now, and goes on to where nothing names another. */
  stays?: string | undefined;
}

/**
 * `vouch setup aws`: writes a profile that gets its credentials from Vouch into AWS's config file, or takes it out.
 *
 * @param terminal whether a person can be asked for what is not said
 * @throws Interrupted at Ctrl-C during the questions
 */
export async function setupAws(
  options: SetupAwsOptions,
  io: Io,
  terminal: boolean = process.stdin.isTTY === true,
): Promise<number> {
  const file = awsConfigFile(io.env);
  const text = readConfigFile(file);
  const outcome = options.remove
    ? await removal(options, text, file, io)
    : await addition(options, text, file, io, terminal);
  const write = outcome.change !== 'none' && !options.dryRun;
  if (write) replaceFile(file, outcome.text);
  const notes = write ? await notesFor(outcome, io.env) : [];
  tell(outcome, { file, diff: diff(text, outcome.text), notes }, options, io);
  return 0;
}

async function addition(
  options: SetupAwsOptions,
  text: string,
  file: string,
  io: Io,
  terminal: boolean,
): Promise<Outcome> {
  check(options.role === undefined ? undefined : wrongRole(options.role));
  check(options.profile === undefined ? undefined : wrongProfileName(options.profile));
  check(options.externalId === undefined ? undefined : wrongExternalId(options.externalId));
  if (options.externalId !== undefined && options.sourceProfile === undefined) {
    throw usage(
      'An external id is for a chained role alone.',
      '',
      'Name the profile it is assumed through: --source-profile.',
    );
  }
  const lines = linesOf(text);
  const parts = await complete(options, lines, file, io, terminal);
  const { role, profile, region } = parts;
  check(region === undefined ? undefined : wrongRegion(region, role));
  const settings: ProfileSettings =
    options.sourceProfile === undefined
      ? { credential_process: `${vouchCommand(options, io)} credential aws --role ${role}` }
      : chain(await vouchProfiles(io.env), { ...parts, source: options.sourceProfile, externalId: options.externalId });
  if (region !== undefined) settings.region = region;

  const found = findOne(lines, profile, file);
  if (found !== undefined) {
    if (saysTheSame(found, settings)) return { profile, settings, change: 'none', text };
    if (!options.force) throw taken(profile, found, file);
  }
  const change = found === undefined ? 'written' : 'changed';
  const after = putProfile(text, profile, settings);
  const [only, another] = await vouchProfiles(io.env);
  if (only === undefined || another !== undefined || only.name === profile) {
    return { profile, settings, change, text: after };
  }
  return { profile, settings, change, text: only.isDefault ? after : putDefault(after, only.name), stays: only.name };
}

/** What was said, and what a person answers to the rest. */
async function complete(
  { role, profile, region, force = false }: SetupAwsOptions,
  lines: readonly string[],
  file: string,
  io: Io,
  terminal: boolean,
): Promise<{ role: string; profile: string; region: string | undefined }> {
  if (role !== undefined) return { role, profile: profile ?? 'vouch', region };
  if (!terminal) {
    throw usage(
      'No role was named.',
      'Without a terminal, nobody can be asked for it.',
      'Name it with --role (it looks like arn:aws:iam::123456789012:role/VouchDeveloper), or run this on a terminal.',
    );
  }
  const { AWS_REGION, AWS_DEFAULT_REGION } = io.env;
  const ofDefault = findOne(lines, 'default', file)?.get('region');
  const isTaken = (name: string, wanted: string) => {
    const found = findOne(lines, name, file);
    const same = found?.get('credential_process')?.endsWith(` --role ${wanted}`);
    return found === undefined || same || force ? undefined : taken(name, found, file).lines().slice(0, 2).join(' ');
  };
  return onTerminal((ask) =>
    askForProfile(ask, { role, profile, region }, [AWS_REGION, AWS_DEFAULT_REGION, ofDefault], isTaken),
  );
}

async function removal(options: SetupAwsOptions, text: string, file: string, io: Io): Promise<Outcome> {
  const { profile, force = false } = options;
  if (profile === undefined) throw usage('No profile was named.', '', 'Name the one to remove with --profile.');
  check(wrongProfileName(profile));
  if (findOne(linesOf(text), profile, file) === undefined) {
    return { profile, settings: undefined, change: 'none', text };
  }
  const profiles = await vouchProfiles(io.env);
  if (!profiles.some(({ name }) => name === profile)) {
    throw new Problem({
      kind: 'not-ours',
      what: `The profile "${profile}" in ${file} is not Vouch's.`,
      why: profiles.length === 0 ? 'It has none.' : `Vouch's are: ${profiles.map(({ name }) => name).join(', ')}.`,
      fix: 'Remove it in an editor, if you want to.',
    });
  }
  const users = profiles.filter(({ source }) => source?.name === profile).map(({ name }) => name);
  if (users.length > 0 && !force) {
    throw new Problem({
      kind: 'profile-in-use',
      what: `The profile "${profile}" is what other profiles are assumed through: ${users.join(', ')}.`,
      fix: 'Remove them first, or say --force.',
    });
  }
  return { profile, settings: undefined, change: 'removed', text: removeProfile(text, profile) };
}

/** The settings of a role that is assumed through another profile's. */
function chain(
  profiles: readonly VouchProfile[],
  wanted: { role: string; profile: string; source: string; externalId: string | undefined },
): ProfileSettings {
  const source = profiles.find(({ name }) => name === wanted.source);
  if (source === undefined) {
    throw usage(
      `Vouch has no profile "${printable(wanted.source, 100)}" to assume a role through.`,
      profiles.length === 0 ? '' : `Its profiles are: ${profiles.map(({ name }) => name).join(', ')}.`,
      `Set it up first: \`vouch setup aws --profile ${shellWord(printable(wanted.source, 100))}\`.`,
    );
  }
  for (let link: VouchProfile | undefined = source; link !== undefined; link = link.source) {
    if (link.name === wanted.profile) {
      throw usage(`The profile "${wanted.profile}" cannot be assumed through itself.`, '', 'Choose another --profile.');
    }
  }
  const partition = parseRoleArn(wanted.role)?.partition;
  if (partition?.id !== source.role.partition.id) {
    throw usage(
      `The role ${wanted.role} cannot be assumed through ${source.role.arn}.`,
      `One is of the partition ${partition?.id}, the other of ${source.role.partition.id}.`,
      '',
    );
  }
  return {
    role_arn: wanted.role,
    source_profile: source.name,
    ...(wanted.externalId === undefined ? {} : { external_id: wanted.externalId }),
  };
}

/**
 * How AWS's tools are to start Vouch. By path, its Node stands before it: a PATH that lacks the one may well lack the other.
 */
function vouchCommand({ absolute }: SetupAwsOptions, { env }: Io): string {
  if (!absolute) return 'vouch';
  const run = process.argv[1] ?? '';
  const file = basename(run) === 'vouch' ? run : findOnPath('vouch', env)[0];
  const words = [process.execPath, ...nodeOptions, file];
  // Some of AWS's tools hand the line to a shell, which would put something else in the place of $ and `.
  const [unfit] = words.filter((word) => word === undefined || /["\\$`\p{Cc}]/u.test(word));
  if (file !== undefined && unfit === undefined)
    return words.map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word ?? '') ? word : `"${word}"`)).join(' ');
  throw new Problem({
    kind: 'no-path',
    what: 'Vouch cannot be named by its path.',
    why: file === undefined ? 'It is not on your PATH.' : `AWS's tools could not read this path: ${unfit}`,
    fix: 'Install it elsewhere, or leave --absolute out.',
  });
}

/** The settings of a profile, or undefined when the file has none of that name. */
function findOne(lines: readonly string[], profile: string, file: string): Map<string, string> | undefined {
  const [section, second] = findProfile(lines, profile);
  if (second !== undefined) {
    throw new Problem({
      kind: 'profile-twice',
      what: `${file} has the profile "${profile}" twice.`,
      why: "AWS's tools disagree about what that means.",
      fix: 'Make it one, then try again.',
    });
  }
  return section && settingsOf(lines, section);
}

function taken(profile: string, settings: ReadonlyMap<string, string>, file: string): Problem {
  const has = settings.get('credential_process') ?? settings.get('role_arn');
  return new Problem({
    kind: 'profile-exists',
    what: `${file} has another profile "${profile}" already.`,
    why: has === undefined ? `Its settings are: ${[...settings.keys()].join(', ')}.` : `It says: ${has}`,
    fix: 'Choose another name with --profile, or change that one with --force.',
  });
}

/** The changed lines, as a person may see them. */
function diff(before: string, after: string): ChangedLine[] {
  return lineDiff(before, after).map(({ sign, line }) => ({
    sign,
    line: printable(line.replace(/^(\s*aws_(?:secret_access_key|session_token)\s*=).*/i, '$1 …')),
  }));
}

/** What is left to do when a profile is there that was not before. */
async function notesFor({ profile, change, stays }: Outcome, env: NodeJS.ProcessEnv): Promise<string[]> {
  if (change === 'removed') return [];
  const notes =
    stays === undefined
      ? []
      : [
          `Profile ${stays} stays the default: it serves the repositories for which nothing names another.`,
          `To use ${profile}: \`vouch setup codecommit --profile ${profile}\` for all, with --url for one, or ${profile}@ in a URL.`,
        ];
  // Without a Git that works there is nothing to be said about it.
  const missing = await missingUserSections(env).catch((): string[] => []);
  if (missing.includes(profile))
    notes.push(`Run \`vouch setup codecommit\` again, so that ${profile}@ can stand in a repository's URL.`);
  return notes;
}

const verbs = {
  written: ['Wrote', 'Would write'],
  changed: ['Changed', 'Would change'],
  removed: ['Removed', 'Would remove'],
} as const;

function tell(
  { profile, settings, change }: Outcome,
  { file, diff, notes }: { file: string; diff: readonly ChangedLine[]; notes: readonly string[] },
  { dryRun = false, json = false, remove = false }: SetupAwsOptions,
  io: Io,
): void {
  if (json) {
    io.stdout.write(`${jsonText({ profile, file, change, dryRun, settings: settings ?? null, diff, notes })}\n`);
  } else if (change !== 'none') {
    const verb = verbs[change][dryRun ? 1 : 0];
    const lines = diff.map(({ sign, line }) => `  ${sign} ${line}`.trimEnd());
    io.stdout.write([`${verb} profile ${profile} in ${file}`, ...lines, ...notes].map((line) => `${line}\n`).join(''));
  } else if (remove) {
    io.stdout.write(`There is no profile ${profile} in ${file}, nothing to change\n`);
  } else {
    const role = settings?.role_arn ?? roleOfCredentialProcess(settings?.credential_process ?? '')?.arn;
    io.stdout.write(`Profile ${profile} in ${file} is set up for ${role} already, nothing to change\n`);
  }
}

function check(wrong: Wrong | undefined): void {
  if (wrong) throw usage(wrong.what, wrong.why, wrong.fix);
}

function usage(what: string, why: string, fix: string): Problem {
  return new Problem({ kind: 'usage', what, why, fix });
}
