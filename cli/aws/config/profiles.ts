import { awsConfigFile } from '../../paths.ts';
import { parseRoleArn, type RoleArn } from '../role-arn.ts';
import { roleOfCredentialProcess } from './credential-process.ts';
import { profileSettings, type Settings } from './read.ts';

/** A profile in AWS's config file whose role is assumed with Vouch's session, directly or through other roles. */
export interface VouchProfile {
  name: string;
  role: RoleArn;
  region: string | undefined;
  /** The Vouch profile that this one's role is assumed through (`source_profile`), for role chaining. */
  source?: VouchProfile;
  externalId?: string;
  roleSessionName?: string;
  /** In seconds. */
  durationSeconds?: number;
  /** Set by `vouch_default`: this profile serves when nothing names another. */
  isDefault?: true;
}

/**
 * Vouch's profiles: those whose `credential_process` is `vouch credential aws --role <arn>`, and those with `role_arn` whose
 * `source_profile` leads to one of those. `[default]` comes first, the others in the order of the file. Profiles that need the
 * code of an MFA device (`mfa_serial`) are left out, and so are chains that lead back to themselves.
 *
 * A profile with `role_arn` and `source_profile` is a role to assume, whatever its `credential_process` is. AWS's SDKs for Python
 * and JavaScript agree on that, and that a source's own access keys win.
 *
 * @param env where AWS_CONFIG_FILE and HOME are looked up
 * @returns an empty list when there is no such file
 */
export async function vouchProfiles(env: NodeJS.ProcessEnv): Promise<VouchProfile[]> {
  return readProfiles(awsConfigFile(env));
}

/**
 * As `vouchProfiles`.
 *
 * @param file the config file
 */
export async function readProfiles(file: string): Promise<VouchProfile[]> {
  const sections = profileSettings(file);
  const known = new Map<string, VouchProfile | undefined>();
  return [...sections.keys()].flatMap((name) => resolveProfile(name, sections, known) ?? []);
}

/** Follows a chain to its end and back. It does so in a loop, because a file's chain may have any length. */
function resolveProfile(
  name: string,
  sections: ReadonlyMap<string, Settings>,
  known: Map<string, VouchProfile | undefined>,
): VouchProfile | undefined {
  const waiting: string[] = [];
  const seen = new Set<string>();
  for (let next: string | undefined = name; next !== undefined; ) {
    // It leads back to itself, or to a profile that is known.
    if (seen.has(next) || known.has(next)) break;
    seen.add(next);
    waiting.push(next);
    next = sourceOf(sections.get(next) ?? {});
  }
  for (const one of waiting.reverse()) {
    const settings = sections.get(one) ?? {};
    const source = sourceOf(settings);
    known.set(one, source === undefined ? direct(one, settings) : chained(one, settings, known.get(source), sections));
  }
  return known.get(name);
}

/** The name of a chained profile's source; undefined for other profiles. */
function sourceOf({ role_arn, source_profile, credential_source }: Settings): string | undefined {
  return role_arn !== undefined && credential_source === undefined ? source_profile : undefined;
}

function direct(name: string, settings: Settings): VouchProfile | undefined {
  const role = roleOfCredentialProcess(settings.credential_process ?? '');
  return role && { name, role, region: settings.region, ...defaultOf(settings) };
}

function chained(
  name: string,
  settings: Settings,
  source: VouchProfile | undefined,
  sections: ReadonlyMap<string, Settings>,
): VouchProfile | undefined {
  const role = parseRoleArn(settings.role_arn ?? '');
  if (role === undefined || source === undefined || settings.mfa_serial !== undefined) return undefined;
  const { aws_access_key_id, aws_secret_access_key } = sections.get(source.name) ?? {};
  if (aws_access_key_id !== undefined && aws_secret_access_key !== undefined) return undefined;
  const { external_id, role_session_name, duration_seconds = '' } = settings;
  return {
    name,
    role,
    region: settings.region,
    source,
    ...(external_id && { externalId: external_id }),
    ...(role_session_name && { roleSessionName: role_session_name }),
    ...(/^\d{1,6}$/.test(duration_seconds) && { durationSeconds: Number(duration_seconds) }),
    ...defaultOf(settings),
  };
}

/** A setting of our own, which AWS's tools ignore. */
function defaultOf({ vouch_default }: Settings): Pick<VouchProfile, 'isDefault'> {
  return vouch_default?.toLowerCase() === 'true' ? { isDefault: true } : {};
}
