import { linesOf, profileSections, type Section, settingLines } from './lines.ts';

/**
 * A profile as Vouch writes it into AWS's config file: with `credential_process`, or, when its role is assumed through another
 * profile's, with `role_arn` and `source_profile`.
 */
export interface ProfileSettings {
  credential_process?: string;
  role_arn?: string;
  source_profile?: string;
  external_id?: string;
  region?: string;
}

/** Settings that decide where a profile's credentials come from. Beside ours they would win, or contradict ours. */
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

/**
 * Finds the sections of a profile in the text of an AWS config file.
 *
 * @returns one section as a rule; more when the file has the profile twice, about which AWS's tools disagree
 */
export function findProfile(lines: readonly string[], name: string): Section[] {
  return profileSections(lines).filter((section) => section.name === name);
}

/** Whether a section has the settings that we would write, and none that contradicts them. */
export function hasSettings(settings: ReadonlyMap<string, string>, wanted: ProfileSettings): boolean {
  const values = new Map(Object.entries(wanted));
  return (
    [...values].every(([key, value]) => settings.get(key) === value) &&
    [...settings.keys()].every((key) => !rivals.has(key) || values.has(key))
  );
}

/**
 * Puts a profile into the text of an AWS config file. Everything else stays as it is, byte for byte: other profiles,
 * comments, blank lines, line ends. In a profile that is there already, the settings about credentials and the region are
 * replaced, and others (`output`, `cli_pager`) stay.
 */
export function putProfile(text: string, name: string, wanted: ProfileSettings): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const ours = Object.entries(wanted).map(([key, value]) => `${key} = ${value}${eol}`);
  const lines = linesOf(text);
  const [section] = findProfile(lines, name);
  if (section === undefined) {
    const header = name === 'default' ? '[default]' : `[profile ${name}]`;
    const before = text === '' ? '' : `${text}${text.endsWith('\n') ? '' : eol}${eol}`;
    return [before, header, eol, ...ours].join('');
  }
  const [header = ''] = lines.slice(section.start);
  const indent = indentOf(lines, section);
  const kept = settingLines(lines, section).filter(
    ({ setting }) =>
      setting === undefined || !(rivals.has(setting.key) || (setting.key === 'region' && wanted.region !== undefined)),
  );
  return [
    ...lines.slice(0, section.start),
    header.endsWith('\n') ? header : `${header}${eol}`,
    ...ours.map((line) => `${indent}${line}`),
    ...kept.map(({ text }) => text),
    ...lines.slice(section.end),
  ].join('');
}

/**
 * Marks a profile in the text as Vouch's default, which serves when nothing names another profile.
 *
 * @returns the text unchanged, unless it has that profile exactly once
 */
export function putDefault(text: string, name: string): string {
  const lines = linesOf(text);
  const [section, second] = findProfile(lines, name);
  if (section === undefined || second !== undefined) return text;
  const header = lines[section.start] ?? '';
  const eol = header.endsWith('\r\n') ? '\r\n' : '\n';
  lines[section.start] = `${header.replace(/\r?\n$/, '')}${eol}${indentOf(lines, section)}vouch_default = true${eol}`;
  return lines.join('');
}

/**
 * Takes a profile out of the text of an AWS config file, with the blank line before it that putProfile wrote. Comments after its
 * last setting stay: they are about the next section.
 */
export function removeProfile(text: string, name: string): string {
  const lines = linesOf(text);
  const [section] = findProfile(lines, name);
  if (section === undefined) return text;
  let { start, end } = section;
  while (end > start + 1 && /^\s*([#;]|$)/.test(lines[end - 1] ?? '')) end--;
  const isBlank = (line: string | undefined) => line === undefined || line.trim() === '';
  if (start > 0 && isBlank(lines[start - 1]) && isBlank(lines[end])) start--;
  return [...lines.slice(0, start), ...lines.slice(end)].join('');
}

/** A section's indentation: a setting that is indented more than the previous one would be part of the previous one. */
function indentOf(lines: readonly string[], section: Section): string {
  const first = settingLines(lines, section).find(({ setting }) => setting !== undefined);
  return /^\s*/.exec(first?.text ?? '')?.[0] ?? '';
}
