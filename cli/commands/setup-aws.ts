import { readFileSync } from 'node:fs';
import { findProfile, type ProfileSettings, putProfile, saysTheSame, settingsOf } from '../aws/config-edit.ts';
import { isRegion, parseRoleArn } from '../aws/partitions.ts';
import type { Io } from '../io.ts';
import { awsConfigFile } from '../paths.ts';
import { Problem, printProblem } from '../problem.ts';
import { replaceFile } from '../replace-file.ts';

export interface SetupAwsOptions {
  /** The ARN of the role. */
  role: string;
  /** The region that the profile is for. */
  region?: string;
  /** The profile's name; `vouch` by default. */
  profile?: string;
  /** Whether an existing profile of that name may be changed. */
  force?: boolean;
}

/** `vouch setup aws`: writes a profile that gets its credentials from Vouch into AWS's config file. */
export async function setupAws(options: SetupAwsOptions, io: Io): Promise<number> {
  try {
    return write(options, io);
  } catch (error) {
    return printProblem(io.stderr, error);
  }
}

function write({ role, region, profile = 'vouch', force = false }: SetupAwsOptions, io: Io): number {
  check(role, region, profile);
  const file = awsConfigFile(io.env);
  const wanted: ProfileSettings = { credential_process: `vouch credential aws --role ${role}` };
  if (region !== undefined) wanted.region = region;

  const text = read(file);
  const lines = text.split(/\r?\n/);
  const [section, second] = findProfile(lines, profile);
  if (second !== undefined) {
    throw new Problem({
      kind: 'profile-twice',
      what: `${file} has the profile "${profile}" twice.`,
      why: "AWS's tools disagree about what that means.",
      fix: 'Make it one, then try again.',
    });
  }
  if (section !== undefined) {
    const settings = settingsOf(lines, section);
    if (saysTheSame(settings, wanted)) {
      io.stdout.write(`Profile ${profile} in ${file} is set up for ${role} already, nothing to change\n`);
      return 0;
    }
    if (!force) {
      const has = settings.get('credential_process') ?? settings.get('role_arn');
      throw new Problem({
        kind: 'profile-exists',
        what: `${file} has another profile "${profile}" already.`,
        why: has === undefined ? `Its settings are: ${[...settings.keys()].join(', ')}.` : `It says: ${has}`,
        fix: 'Choose another name with --profile <name>, or change that one with --force.',
      });
    }
  }
  try {
    replaceFile(file, putProfile(text, profile, wanted));
  } catch (error) {
    throw new Problem(
      {
        kind: 'config-file',
        what: `${file} could not be written.`,
        why: (error as Error).message,
        fix: 'Check its owner and mode, then try again.',
      },
      { cause: error },
    );
  }
  io.stdout.write(`${section ? 'Changed' : 'Wrote'} profile ${profile} in ${file}\n  ${role}\n`);
  return 0;
}

function check(role: string, region: string | undefined, profile: string): void {
  const usage = (what: string, why: string, fix: string) => new Problem({ kind: 'usage', what, why, fix, exitCode: 2 });
  const parsed = parseRoleArn(role);
  if (parsed === undefined) {
    throw usage(
      `This is not the ARN of a role: ${role}`,
      'It looks like arn:aws:iam::123456789012:role/VouchDeveloper.',
      'Ask who runs your AWS account for it.',
    );
  }
  if (region !== undefined && !isRegion(region)) {
    throw usage(`This is not the name of a region: ${region}`, 'It looks like us-east-1.', '');
  }
  if (region !== undefined && !parsed.partition.region.test(region)) {
    throw usage(
      `The role ${role} cannot be used in ${region}.`,
      `The role is of the partition ${parsed.partition.id}, and the region is of another.`,
      'Name a region of that partition.',
    );
  }
  // It may stand in a URL as the user name, and in a shell; a dash first would make it an option.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,63}$/.test(profile)) {
    throw usage(
      `This cannot be the name of a profile: ${profile}`,
      'A name has up to 64 letters, digits and _ . + @ - and begins with a letter, a digit or _.',
      'Choose another one with --profile.',
    );
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new Problem(
      { kind: 'config-file', what: `${file} could not be read.`, why: (error as Error).message, fix: '' },
      { cause: error },
    );
  }
}
