/** The attributes of Git's credential request that concern us (git-credential(1), INPUT/OUTPUT FORMAT). */
export interface GitCredentialRequest {
  protocol: string;
  /** With its port if the URL has one. */
  host: string;
  /** Without the leading slash; only there when `credential.useHttpPath` is set. */
  path: string | undefined;
  /** The user name in the URL. */
  username: string | undefined;
}

/** Git's own bound on a line (LARGE_PACKET_MAX - 1 in its credential reader), in bytes without the newline. */
export const longestLine = 65_535;

/** More than any request that Git makes, in bytes. */
export const longestRequest = 1024 * 1024;

const attributes = ['protocol', 'host', 'path', 'username'] as const;

/**
 * Reads a credential request as Git writes it: lines of `key=value`, ended by a blank line or the end of input. What is
 * malformed gets no interpretation: a value that could mean two things to two readers is how credentials have leaked
 * from Git before (CVE-2020-5260, CVE-2020-11008, CVE-2024-52006).
 *
 * @param input the bytes as they came
 * @returns undefined when anything is malformed: not UTF-8, a NUL or carriage return anywhere, a line without `=` or
 *   longer than Git writes, an attribute given twice, something after the blank line, no protocol or host
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
  for (const line of end === -1 ? lines : lines.slice(0, end)) {
    if (Buffer.byteLength(line) > longestLine) return undefined;
    const equals = line.indexOf('=');
    if (equals < 1) return undefined;
    const key = line.slice(0, equals);
    // Other attributes (`capability[]`, `wwwauth[]`, whatever Git adds next) are not ours to judge.
    if (!(attributes as readonly string[]).includes(key)) continue;
    if (found.has(key)) return undefined;
    found.set(key, line.slice(equals + 1));
  }
  const protocol = found.get('protocol');
  const host = found.get('host');
  if (!protocol || !host) return undefined;
  return { protocol, host, path: found.get('path'), username: found.get('username') };
}

/**
 * Puts what the helper was told beside Git's lines before them: the profile on its command line, and what its environment
 * says about AWS's profiles, which is not the agent's.
 */
export function withContext(
  request: Uint8Array,
  context: { profile?: string },
  env: NodeJS.ProcessEnv = process.env,
): Uint8Array {
  const lines = [
    ['vouch-profile', context.profile],
    ['vouch-aws-profile', env.AWS_PROFILE],
    ['vouch-aws-config', env.AWS_CONFIG_FILE?.startsWith('/') ? env.AWS_CONFIG_FILE : undefined],
  ].flatMap(([key, value]) => (value && !/[\r\n]/.test(value) ? [`${key}=${value}\n`] : []));
  return Buffer.concat([Buffer.from(lines.join('')), request]);
}
