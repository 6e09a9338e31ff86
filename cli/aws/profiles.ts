import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { loadSharedConfigFiles } from '@smithy/shared-ini-file-loader';
import { awsConfigFile } from '../paths.ts';
import { Problem } from '../problem.ts';
import { splitCommandLine } from './command-line.ts';
import { parseRoleArn, type RoleArn } from './partitions.ts';

/** A profile in AWS's config file that gets its credentials from Vouch. */
export interface VouchProfile {
  name: string;
  role: RoleArn;
  region: string | undefined;
}

/**
 * The profiles whose `credential_process` is `vouch credential aws --role <arn>`, in the order of the file.
 *
 * @param env where AWS_CONFIG_FILE and HOME are looked up
 * @returns an empty list when there is no such file
 */
export async function vouchProfiles(env: NodeJS.ProcessEnv = process.env): Promise<VouchProfile[]> {
  const { configFile } = await loadSharedConfigFiles({
    configFilepath: awsConfigFile(env),
    // Only the config file: a credentials file holds what Vouch replaces.
    filepath: '/dev/null',
    ignoreCache: true,
  });
  const profiles: VouchProfile[] = [];
  for (const [name, settings] of Object.entries(configFile)) {
    const role = roleOfCredentialProcess(settings.credential_process ?? '');
    if (role) profiles.push({ name, role, region: settings.region });
  }
  return profiles;
}

/** As `vouchProfiles`, but the file is only read again when it has changed. */
export function profileReader(env: NodeJS.ProcessEnv): () => Promise<VouchProfile[]> {
  let known: { stamp: string; profiles: VouchProfile[] } | undefined;
  return async () => {
    const file = await stat(awsConfigFile(env), { bigint: true }).catch(() => undefined);
    const stamp = file ? `${file.dev} ${file.ino} ${file.size} ${file.mtimeNs} ${file.ctimeNs}` : 'none';
    if (known?.stamp !== stamp) known = { stamp, profiles: await vouchProfiles(env) };
    return known.profiles;
  };
}

/** The role in a `credential_process` that is ours: `vouch credential aws --role <arn>`, vouch by name or by path. */
export function roleOfCredentialProcess(command: string): RoleArn | undefined {
  const [program, credential, aws, ...rest] = splitCommandLine(command) ?? [];
  if (program === undefined || basename(program) !== 'vouch' || credential !== 'credential' || aws !== 'aws') {
    return undefined;
  }
  const at = rest.findIndex((word) => word === '--role' || word.startsWith('--role='));
  const option = rest[at];
  const arn = option === '--role' ? rest[at + 1] : option?.slice('--role='.length);
  return arn === undefined ? undefined : parseRoleArn(arn);
}

/**
 * Which profile serves a request of Git's, first match: the one that the user name in the URL names
 * (`credential.<URL>.username` in Git's configuration), the only one, the one named `vouch`.
 *
 * @param profiles Vouch's profiles
 * @param username the user name that Git already has, if any
 * @throws Problem `no-profile`, `unknown-profile`, `several-profiles`
 */
export function chooseProfile(profiles: readonly VouchProfile[], username: string | undefined): VouchProfile {
  const [first] = profiles;
  if (first === undefined) {
    throw new Problem({
      kind: 'no-profile',
      what: 'No AWS role is set up for Vouch.',
      why: 'No profile in your AWS config has `credential_process = vouch credential aws --role …`.',
      fix: 'Run `vouch setup aws --role <role ARN>`, then try again.',
      exitCode: 1,
    });
  }
  const list = profiles.map(({ name, role }) => `${name} (${role.arn})`).join(', ');
  if (username !== undefined && username !== '') {
    const named = profiles.find(({ name }) => name === username);
    if (named) return named;
    throw new Problem({
      kind: 'unknown-profile',
      what: `Git asks for the AWS profile "${username}", and Vouch has no such profile.`,
      why: `Vouch's profiles are: ${list}.`,
      fix: `Run \`vouch setup aws --profile ${username} --role <role ARN>\`, or change credential.<URL>.username in your Git config.`,
    });
  }
  const chosen = profiles.length === 1 ? first : profiles.find(({ name }) => name === 'vouch');
  if (chosen) return chosen;
  throw new Problem({
    kind: 'several-profiles',
    what: 'Several AWS profiles could serve this repository.',
    why: `Vouch's profiles are: ${list}.`,
    fix: `Name one: \`git config --global credential.<repository URL>.username ${first.name}\``,
  });
}
