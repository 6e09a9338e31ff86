/** A profile as Vouch writes it into AWS's config file. */
export interface ProfileSettings {
  credential_process: string;
  region?: string;
}

/** Settings that say where a profile's credentials come from: next to ours they would win, or contradict. */
const rivals = new Set([
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'credential_process',
  'credential_source',
  'external_id',
  'login_session',
  'mfa_serial',
  'role_arn',
  'role_session_name',
  'source_profile',
  'sso_account_id',
  'sso_region',
  'sso_role_name',
  'sso_session',
  'sso_start_url',
  'web_identity_token_file',
]);

interface Section {
  /** The line of its header, and the line after its last. */
  start: number;
  end: number;
}

/**
 * Finds the sections of a profile in the text of an AWS config file (`[default]`, `[profile name]`, also quoted).
 *
 * @returns one section as a rule; more when the file names the profile twice, which AWS's tools take differently
 */
export function findProfile(lines: readonly string[], name: string): Section[] {
  const headers: { line: number; header: string }[] = [];
  for (const [line, text] of lines.entries()) {
    const header = /^\s*\[([^\]]*)\]/.exec(text)?.[1];
    if (header !== undefined) headers.push({ line, header: header.trim() });
  }
  return headers.flatMap(({ line, header }, index) => {
    const [, quoted, plain] = /^profile\s+(?:"([^"]*)"|'?([^\s']*)'?)$/.exec(header) ?? [];
    const found = header === 'default' ? 'default' : (quoted ?? plain);
    return found === name ? [{ start: line, end: headers[index + 1]?.line ?? lines.length }] : [];
  });
}

/** The settings of a section as written, in lower case, without nested ones. */
export function settingsOf(lines: readonly string[], section: Section): Map<string, string> {
  const settings = new Map<string, string>();
  for (const text of lines.slice(section.start + 1, section.end)) {
    const [, key, value] = /^([^\s#;=][^=]*?)\s*=\s*(.*?)\s*$/.exec(text) ?? [];
    if (key !== undefined && value !== undefined) settings.set(key.toLowerCase(), value);
  }
  return settings;
}

/** Whether a section says what we would write, and nothing that contradicts it. */
export function saysTheSame(settings: ReadonlyMap<string, string>, wanted: ProfileSettings): boolean {
  for (const key of settings.keys()) {
    if (rivals.has(key) && key !== 'credential_process') return false;
  }
  return (
    settings.get('credential_process') === wanted.credential_process &&
    (wanted.region === undefined || settings.get('region') === wanted.region)
  );
}

/**
 * Puts a profile into the text of an AWS config file. Everything else stays as it is, byte for byte: other profiles,
 * comments, blank lines, line ends. In a profile that is there already, what concerns credentials and the region is
 * replaced, and other settings (`output`, `cli_pager`) stay.
 */
export function putProfile(text: string, name: string, wanted: ProfileSettings): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const ours = Object.entries(wanted).map(([key, value]) => `${key} = ${value}`);
  const lines = text.split(/\r?\n/);
  const [section] = findProfile(lines, name);
  if (section === undefined) {
    const header = name === 'default' ? '[default]' : `[profile ${name}]`;
    const before = text === '' ? '' : `${text}${text.endsWith('\n') ? '' : eol}${eol}`;
    return `${before}${[header, ...ours].join(eol)}${eol}`;
  }
  const kept = lines.slice(section.start + 1, section.end).filter((line) => {
    const key = /^([^\s#;=][^=]*?)\s*=/.exec(line)?.[1]?.toLowerCase();
    return key === undefined || !(rivals.has(key) || (key === 'region' && wanted.region !== undefined));
  });
  return [...lines.slice(0, section.start + 1), ...ours, ...kept, ...lines.slice(section.end)].join(eol);
}
