import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { awsConfigFile } from '../../paths.ts';
import { Problem } from '../../problem/problem.ts';
import { codeCommitHost } from '../codecommit/hosts.ts';
import { parseRoleArn, type RoleArn } from '../role-arn.ts';
import { shellWord, splitCommandLine } from './command-line.ts';
import { profileSettings, type Settings } from './read.ts';

/** A profile in AWS's config file whose role is assumed with Vouch's session, at once or through other roles. */
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
  /** Whether it says so itself: it is the one that serves where nothing names another. */
  isDefault?: true;
}

/**
 * Vouch's profiles: those whose `credential_process` is `vouch credential aws --role <arn>`, and those with `role_arn` whose
 * `source_profile` leads to such a one, in the order of the file but for `[default]`, which comes first. What asks for a code
 * of an MFA device (`mfa_serial`) is left out, and so is a chain that bites its own tail.
 *
 * A profile with `role_arn` and `source_profile` is a role to be assumed, whatever its `credential_process` says: AWS's SDKs
 * for Python and JavaScript agree on that, and that a source with keys of its own means these.
 *
 * @param env where AWS_CONFIG_FILE and HOME are looked up
 * @returns an empty list when there is no such file
 */
export async function vouchProfiles(env: NodeJS.ProcessEnv = process.env): Promise<VouchProfile[]> {
  return readProfiles(awsConfigFile(env));
}

async function readProfiles(file: string): Promise<VouchProfile[]> {
  const sections = profileSettings(file);
  const known = new Map<string, VouchProfile | undefined>();
  return [...sections.keys()].flatMap((name) => resolveProfile(name, sections, known) ?? []);
}

/** Follows a chain to its end and back; step by step, as a file may hold one of any length. */
function resolveProfile(
  name: string,
  sections: ReadonlyMap<string, Settings>,
  known: Map<string, VouchProfile | undefined>,
): VouchProfile | undefined {
  const waiting: string[] = [];
  const seen = new Set<string>();
  for (let next: string | undefined = name; next !== undefined; ) {
    // A loop, or something that was found out before.
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

/** The profile that this one's role is assumed through; undefined when it is not one of that kind. */
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

/** A setting of our own, which AWS's tools pass over. */
function defaultOf({ vouch_default }: Settings): Pick<VouchProfile, 'isDefault'> {
  return vouch_default?.toLowerCase() === 'true' ? { isDefault: true } : {};
}

/** Reads profiles as `vouchProfiles` does, but reads a file again only when it has changed. */
export class ProfileReader {
  readonly #known = new Map<string, { stamp: string; profiles: VouchProfile[] }>();
  readonly #looks = new Map<string, { now: Promise<VouchProfile[]>; next?: Promise<VouchProfile[]> }>();

  /**
   * Looks whether a file has changed, once for all who ask while it is being looked at for somebody before them. That look
   * itself is not for them: what it saw may be older than their question.
   *
   * @param file the config file, an absolute path
   */
  read(file: string): Promise<VouchProfile[]> {
    const look = this.#looks.get(file);
    if (look === undefined) return this.#look(file);
    look.next ??= look.now.catch(() => {}).then(() => this.#look(file));
    return look.next;
  }

  #look(file: string): Promise<VouchProfile[]> {
    const now = this.#readIfChanged(file).finally(() => {
      if (this.#looks.get(file)?.now === now) this.#looks.delete(file);
    });
    this.#looks.set(file, { now });
    return now;
  }

  async #readIfChanged(file: string): Promise<VouchProfile[]> {
    const found = look(() => statSync(file, { bigint: true }));
    const stamp = found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : 'none';
    const known = this.#known.get(file);
    if (known?.stamp === stamp) return known.profiles;
    const profiles = await readProfiles(file);
    this.#known.delete(file);
    // Whoever changes it again within one tick of the file system's clock leaves the same stamp.
    if (found && Date.now() - Number(found.mtimeNs / 1_000_000n) < restless) return profiles;
    this.#known.set(file, { stamp, profiles });
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostFiles && oldest !== undefined) this.#known.delete(oldest);
    return profiles;
  }
}

/** For how long after its last change a file may change without a new stamp, in milliseconds: no file system's clock is coarser. */
const restless = 100;

/** More config files than a person works with; the oldest goes first. */
const mostFiles = 16;

/**
 * The role in a `credential_process` that is ours: `vouch credential aws --role <arn>`, vouch by name or by path, and also with
 * its Node and Node's options before it (`vouch setup aws --absolute`).
 */
export function roleOfCredentialProcess(command: string): RoleArn | undefined {
  const words = splitCommandLine(command) ?? [];
  if (basename(words[0] ?? '') === 'node') {
    do words.shift();
    while (words[0]?.startsWith('--'));
  }
  const [program, credential, aws, ...rest] = words;
  if (program === undefined || basename(program) !== 'vouch' || credential !== 'credential' || aws !== 'aws') {
    return undefined;
  }
  const at = rest.findIndex((word) => word === '--role' || word.startsWith('--role='));
  const option = rest[at];
  const arn = option === '--role' ? rest[at + 1] : option?.slice('--role='.length);
  return arn === undefined ? undefined : parseRoleArn(arn);
}

/** What a request says about the profile that shall serve it. */
export interface Wanted {
  /** The user name that Git already has, from the URL or from `credential.<URL>.username`. */
  username?: string | undefined;
  /** The `--profile` of the helper in Git's configuration. */
  profile?: string | undefined;
  /** The caller's AWS_PROFILE. */
  awsProfile?: string | undefined;
  /** The repository's host, when that is known. */
  host?: string | undefined;
  /** The repository's path, without the leading slash. */
  path?: string | undefined;
}

/**
 * Which profile serves a request, first match: the user name in the URL, the helper's `--profile`, AWS_PROFILE if it is one
 * of Vouch's, the only one whose role is of the host's partition, the one that says that it is the default. An empty name
 * counts as none.
 *
 * @param profiles Vouch's profiles
 * @throws Problem `no-profile`, `unknown-profile`, `several-profiles`
 */
export function chooseProfile(profiles: readonly VouchProfile[], wanted: Wanted): VouchProfile {
  if (profiles.length === 0) {
    throw new Problem({
      kind: 'no-profile',
      what: 'No AWS role is set up for Vouch.',
      why: 'No profile in your AWS config has `credential_process = vouch credential aws --role …`.',
      fix: 'Run `vouch setup aws`, then try again.',
    });
  }
  const list = `Vouch's profiles are: ${profiles.map(({ name, role }) => `${name} (${role.arn})`).join(', ')}.`;
  const named = wanted.username || wanted.profile;
  if (named) {
    const found = profiles.find(({ name }) => name === named);
    if (found) return found;
    const where = wanted.username
      ? "the user name in the repository's URL (or credential.username in your Git config)"
      : 'the --profile of the helper';
    throw new Problem({
      kind: 'unknown-profile',
      what: `Git asks for the AWS profile "${named}", and Vouch has no such profile.`,
      why: list,
      fix: `Run \`vouch setup aws --profile ${shellWord(named)}\`, or change ${where}${wanted.username ? '' : ' in your Git config'}.`,
    });
  }
  const preferred = wanted.awsProfile && profiles.find(({ name }) => name === wanted.awsProfile);
  if (preferred) return preferred;
  const partition = codeCommitHost(wanted.host ?? '')?.partition;
  const fitting = profiles.filter(({ role }) => role.partition.id === partition?.id);
  const candidates = fitting.length > 0 ? fitting : profiles;
  const defaults = candidates.filter(({ isDefault }) => isDefault);
  const [only] = defaults.length === 1 ? defaults : candidates;
  if (only !== undefined && (defaults.length === 1 || candidates.length === 1)) return only;
  throw new Problem({
    kind: 'several-profiles',
    what: 'Several AWS profiles could serve this repository.',
    why: list,
    fix: howToName(candidates[0]?.name ?? '', wanted),
  });
}

/** How a person names a profile: in commands and addresses that are right as they are. */
function howToName(name: string, { host, path = '' }: Wanted): string {
  const setup = `vouch setup codecommit --profile ${shellWord(name)}`;
  const ways = [`for all repositories with \`${setup}\``];
  if (host !== undefined) {
    const repository = /^v1\/repos\/[\w.-]{1,100}$/.test(path) ? `${host}/${path}` : host;
    ways.push(
      `for this one with \`${setup} --url https://${repository}\``,
      `in its URL (https://${name.replace(/[%@:/?#]/g, encodeURIComponent)}@${repository})`,
    );
  }
  return `Name one: ${ways.join(', ')}, or with AWS_PROFILE=${shellWord(name)}.`;
}

/** What there is to know of a file; undefined when it cannot be looked at. */
function look<T>(stat: () => T): T | undefined {
  try {
    return stat();
  } catch {
    return undefined;
  }
}
