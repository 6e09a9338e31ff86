import { isAbsolute } from 'node:path';
import { namedAwsConfigFile } from '../../paths.ts';
import { protocolVersion } from './messages.ts';

/** The attributes of a credential request that we use: Git's (git-credential(1), INPUT/OUTPUT FORMAT), and our own. */
export interface GitCredentialRequest {
  protocol: string;
  /** With its port if the URL has one. */
  host: string;
  /** Without the leading slash; missing unless `credential.useHttpPath` is set. */
  path: string | undefined;
  /** The user name in the URL. */
  username: string | undefined;
  /** Whether Git takes a pre-encoded credential (`capability[]=authtype`, Git 2.46; the script handles those before 2.54). */
  authtype: boolean;
  /** Whether both forms of the credential are wanted: the script learns Git's version only along with the answer. */
  bothForms: boolean;
  /** The helper's protocol, see protocolVersion; by default the agent's own. */
  vouchProtocol: string | undefined;
  /** The AWS profile that the helper's `--profile` names. */
  profile: string | undefined;
  /** The caller's AWS_PROFILE. */
  awsProfile: string | undefined;
  /** The caller's AWS_CONFIG_FILE, an absolute path. */
  awsConfig: string | undefined;
}

/** Git's own bound on a line, in bytes without the newline (LARGE_PACKET_MAX - 1 in its credential reader). */
const longestLine = 65_535;

/** More than any of Git's requests, in bytes. The script stops at 100,000 characters. */
export const longestRequest = 256 * 1024;

/** Linux's PATH_MAX without the final NUL, in bytes. */
const longestPath = 4095;

const attributes = new Set([
  'protocol',
  'host',
  'path',
  'username',
  'vouch-protocol',
  'vouch-profile',
  'vouch-aws-profile',
  'vouch-aws-config',
  'vouch-forms',
]);

/**
 * Reads a credential request as Git writes it: lines of `key=value`, ended by a blank line or the end of input. We do not guess at
 * malformed input: credentials have leaked from Git when two readers understood one value in two ways (CVE-2020-5260,
 * CVE-2020-11008, CVE-2024-52006). Git writes no newline within a value, so no URL can add a `vouch-…` line.
 *
 * @param input the bytes as received, with the lines of `withContext` before Git's own
 * @returns undefined when anything is malformed: not UTF-8, a NUL or carriage return anywhere, a line without `=` or
 *   longer than Git writes, an attribute given twice, something after the blank line, no protocol or host, a config file
 *   whose path is not absolute
 */
export function parseGitRequest(input: Uint8Array): GitCredentialRequest | undefined {
  if (input.length > longestRequest) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input);
  } catch {
    return undefined;
  }
  if (text.includes('\0') || text.includes('\r')) return undefined;
  const lines = text.split('\n');
  const end = lines.indexOf('');
  if (end !== -1 && lines.slice(end).some((line) => line !== '')) return undefined;

  const found = new Map<string, string>();
  let authtype = false;
  for (const line of end === -1 ? lines : lines.slice(0, end)) {
    if (Buffer.byteLength(line) > longestLine) return undefined;
    const equals = line.indexOf('=');
    if (equals < 1) return undefined;
    const key = line.slice(0, equals);
    const value = line.slice(equals + 1);
    if (key === 'capability[]') authtype ||= value === 'authtype';
    // Other attributes (`wwwauth[]`, whatever Git adds next) do not concern us.
    if (!attributes.has(key)) continue;
    if (found.has(key)) return undefined;
    found.set(key, value);
  }
  const protocol = found.get('protocol');
  const host = found.get('host');
  if (!protocol || !host) return undefined;
  const awsConfig = found.get('vouch-aws-config');
  if (awsConfig !== undefined && (!isAbsolute(awsConfig) || Buffer.byteLength(awsConfig) > longestPath))
    return undefined;
  return {
    protocol,
    host,
    path: found.get('path'),
    username: found.get('username'),
    authtype,
    bothForms: found.get('vouch-forms') === 'both',
    vouchProtocol: found.get('vouch-protocol'),
    profile: found.get('vouch-profile'),
    awsProfile: found.get('vouch-aws-profile'),
    awsConfig,
  };
}

/**
 * Puts the lines of `contextLines` before Git's own.
 *
 * @param request the lines as Git wrote them
 */
export function withContext(
  request: Uint8Array,
  context: { profile?: string | undefined },
  env: NodeJS.ProcessEnv,
): Uint8Array {
  return Buffer.concat([Buffer.from(contextLines(context, env)), request]);
}

/**
 * The facts about the caller that the agent does not have, one line each: the protocol, the helper's `--profile`, AWS_PROFILE and
 * AWS_CONFIG_FILE. `context_lines` in cli/git-credential-vouch/git-credential-vouch writes the same, byte for byte, so that the
 * agent recognises a request that it has just refused (agent/services/recent-failures.ts).
 *
 * A value of several lines is left out, and so is a config file that is not named by an absolute path.
 *
 * @param context from the helper's command line
 * @param env the helper's environment
 */
export function contextLines({ profile }: { profile?: string | undefined }, env: NodeJS.ProcessEnv): string {
  return [
    ['vouch-protocol', protocolVersion],
    ['vouch-profile', profile],
    ['vouch-aws-profile', env.AWS_PROFILE],
    ['vouch-aws-config', namedAwsConfigFile(env)],
  ]
    .map(([key, value]) => (value && !/[\n\r]/.test(value) ? `${key}=${value}\n` : ''))
    .join('');
}
