import { readableText, readRegularFile } from '../../files/read-file.ts';
import { Problem } from '../../problem/problem.ts';
import { linesOf, profileSections, settingsOf } from './lines.ts';

/**
 * The text of AWS's config file; empty when there is no such file.
 *
 * @throws Problem `config-file` when it cannot be read, or is not UTF-8 and so could not be written back unchanged
 */
export function readConfigFile(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readRegularFile(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new Problem(
      { kind: 'config-file', what: `${file} could not be read.`, why: (error as Error).message },
      { cause: error },
    );
  }
}

/** A profile's settings by their names, in lower case. None is empty. */
export type Settings = Record<string, string | undefined>;

/**
 * The settings of all profiles in AWS's config file: `default` first, the others in the order of the file. A file that cannot be
 * read has none. Of two sections for one profile the later counts, unless their headings are the same: AWS CLI refuses such a file,
 * and AWS's SDKs take the two together.
 */
export function profileSettings(file: string): Map<string, Settings> {
  const found = new Map<string, { heading: string; settings: Settings }>();
  const lines = linesOf(readableText(file));
  for (const section of profileSections(lines)) {
    const { name, heading } = section;
    const before = found.get(name);
    const here = Object.fromEntries([...settingsOf(lines, section)].filter(([, value]) => value !== ''));
    found.set(name, { heading, settings: before?.heading === heading ? Object.assign(before.settings, here) : here });
  }
  const all = [...found].map(([name, { settings }]): [string, Settings] => [name, settings]);
  return new Map([...all.filter(([name]) => name === 'default'), ...all]);
}
