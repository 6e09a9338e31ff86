import { splitCommandLine } from './command-line.ts';

/**
 * The meaning of the lines of an AWS config file to AWS CLI (botocore's configloader, which reads with Python's configparser and
 * shlex). All our code that reads or edits the file uses this, so that it finds the same profiles.
 */

/** A profile's section. */
export interface Section {
  name: string;
  /** The text between the brackets. */
  heading: string;
  /** The line of its heading, and the line after its last. */
  start: number;
  end: number;
}

/** The first line of a setting, or a line that continues a setting: a nested setting, or more of the value. */
export interface SettingLine {
  /** In lower case; empty if the line is not of that form. */
  key: string;
  /** Undefined on a line that continues. */
  value?: string;
}

type Line = { heading: string } | SettingLine | undefined;

/** A text's lines with their ends, which may differ from line to line. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The sections of all profiles, in the order of the file. */
export function profileSections(lines: readonly string[]): Section[] {
  const headings = read(lines).flatMap((line, start) =>
    line !== undefined && 'heading' in line ? [{ heading: line.heading, start }] : [],
  );
  return headings.flatMap(({ heading, start }, index) => {
    const name = profileOf(heading);
    return name ? [{ name, heading, start, end: headings[index + 1]?.start ?? lines.length }] : [];
  });
}

/** The lines after a section's heading, each with the setting that it belongs to. Blank lines and comments belong to none. */
export function settingLines(
  lines: readonly string[],
  { start, end }: Section,
): { text: string; setting: SettingLine | undefined }[] {
  const inside = lines.slice(start + 1, end);
  return read(inside).map((line, i) => ({
    text: inside[i] ?? '',
    setting: line !== undefined && 'key' in line ? line : undefined,
  }));
}

/** The settings of a section, without nested ones, and without comments after values. The last one of a key counts. */
export function settingsOf(lines: readonly string[], section: Section): Map<string, string> {
  return new Map(
    settingLines(lines, section).flatMap(({ setting }) =>
      setting?.key && setting.value !== undefined ? [[setting.key, setting.value]] : [],
    ),
  );
}

function read(lines: readonly string[]): Line[] {
  let indent = 0;
  let key: string | undefined;
  return lines.map((line): Line => {
    const text = line.trim();
    if (text === '' || /^[#;]/.test(text)) return undefined;
    const depth = line.search(/\S/);
    // This holds even for a line that looks like a heading or another setting.
    if (key !== undefined && depth > indent) return { key };
    indent = depth;
    // Text after the last bracket does not count.
    const heading = /^\[(.*)\]/s.exec(text)?.[1];
    key = heading === undefined ? '' : undefined;
    if (heading !== undefined) return { heading };
    const at = text.search(/[=:]/);
    key = text.slice(0, Math.max(at, 0)).trim().toLowerCase();
    return { key, value: at === -1 ? '' : withoutComment(text.slice(at + 1)) };
  });
}

/** A value as AWS's SDKs read it. AWS CLI takes the comment for a part of the value. */
function withoutComment(value: string): string {
  return (value.split(/(?:^|\s)[;#]/, 1)[0] ?? '').trim();
}

/** The profile that a heading names: `default` alone, or the second of two words, of which the first begins with `profile`. */
function profileOf(heading: string): string | undefined {
  if (heading === 'default') return heading;
  if (!heading.startsWith('profile')) return undefined;
  const words = splitCommandLine(heading, '"\\');
  return words?.length === 2 ? words[1] : undefined;
}
