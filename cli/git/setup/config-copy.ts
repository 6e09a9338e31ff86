import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Problem } from '../../problem/problem.ts';
import { git } from '../git.ts';
import { type GitSetting, parseSettings } from './git-setting.ts';
import { unchangeable } from './unchangeable.ts';

/**
 * A copy of a configuration file, edited with `git config`. One `git config` process per setting could take a minute. So many
 * settings are written and removed as text, in whole sections of the form that Git writes, and Git then reads the result back as a
 * check.
 */
export class ConfigCopy {
  readonly #path: string;
  readonly #file: string;
  readonly #env: NodeJS.ProcessEnv;

  /**
   * @param path the copy's path
   * @param file the original's path
   */
  constructor(path: string, file: string, env: NodeJS.ProcessEnv) {
    this.#path = path;
    this.#file = file;
    this.#env = env;
  }

  /** The file's settings, without those of files that it includes. */
  async settings(): Promise<GitSetting[]> {
    const { stdout } = await this.#config(['--null', '--list']);
    return parseSettings(stdout);
  }

  /** Adds a value after the existing ones, in an existing section of that name if there is one. */
  async add(section: string, name: string, value: string): Promise<void> {
    await this.#config(['--add', `${section}.${name}`, value]);
  }

  /** As `add`, for many settings: all new sections are written in one step. */
  async addAll(settings: readonly GitSetting[]): Promise<void> {
    const text = this.#read();
    const headings = text.split('\n').filter((line) => /^\s*\[/.test(line));
    const fresh = new Map<string, GitSetting[]>();
    const others: GitSetting[] = [];
    for (const setting of settings) {
      const heading = plainHeading(setting.section);
      const [kind = '', ...subsection] = setting.section.split('.');
      const isThere = (line: string) => line.toLowerCase().includes(`[${kind}`) && line.includes(subsection.join('.'));
      const isNew =
        heading !== undefined &&
        plainValue.test(setting.value) &&
        (fresh.has(heading) || !text.includes(subsection.join('.')) || !headings.some(isThere));
      if (isNew) fresh.set(heading, [...(fresh.get(heading) ?? []), setting]);
      else others.push(setting);
    }
    for (const { section, name, value } of others) await this.add(section, name, value);
    if (fresh.size === 0) return;
    const before = this.#read();
    const blocks = [...fresh].map(([heading, its]) =>
      [heading, ...its.map(({ name, value }) => `\t${name} = ${value}`), ''].join('\n'),
    );
    const wanted = [...(await this.settings()), ...[...fresh.values()].flat()];
    appendFileSync(this.#path, [before === '' || before.endsWith('\n') ? '' : '\n', ...blocks].join(''));
    await this.#mustHold(wanted);
  }

  /** Adds a section at the end of the file, even if there is one of that name already. */
  async append(section: string, settings: readonly (readonly [name: string, value: string])[]): Promise<void> {
    // Git adds to the last section of a name, even if that is only a heading. For a new name Git begins a new section.
    const subsection = section.slice(section.indexOf('.') + 1);
    const isNew = !this.#read().includes(subsection);
    const name = isNew ? section : 'vouch-setup.new';
    for (const [key, value] of settings) await this.add(name, key, value);
    if (!isNew) await this.#config(['--rename-section', name, section]);
  }

  /** Replaces every value that is exactly `before`. */
  async replace(section: string, name: string, before: string, after: string): Promise<void> {
    await this.#config(['--fixed-value', '--replace-all', `${section}.${name}`, after, before]);
  }

  /** Removes every value that is exactly this one, if there is any. */
  async remove(section: string, name: string, value: string): Promise<void> {
    await this.#config(['--fixed-value', '--unset-all', `${section}.${name}`, value], [0, 5]);
    // Git leaves the heading of an empty section behind a comment, which could be about it.
    if (this.#isHeadingOnly(section)) await this.#config(['--remove-section', section]);
  }

  /** As `remove`, for many settings: sections that contain nothing else are removed in one step. */
  async removeAll(settings: readonly GitSetting[]): Promise<void> {
    const before = await this.settings();
    const times = Map.groupBy(before, keyOf);
    const goes = new Set(settings.map(keyOf));
    const headings = new Set(settings.map(({ section }) => plainHeading(section)));
    const gone = new Set<string>();
    // Byte for byte: a comment or a name may be in an encoding other than ours.
    const kept = readFileSync(this.#path, 'latin1')
      .split(/^(?=\[)/m)
      .filter((part) => {
        const text = Buffer.from(part, 'latin1').toString();
        const [heading = '', ...lines] = text.split('\n');
        if (!headings.has(heading) || lines.pop() !== '' || lines.length === 0) return true;
        const section = heading.slice(1, -1).replace(/ "(.*)"$/, '.$1');
        const its = lines.map((line) => {
          const [, name = '', value = ''] = /^\t([A-Za-z][A-Za-z0-9-]*) = (.*)$/.exec(line) ?? [];
          return keyOf({ section, name, value });
        });
        // Git removes a setting that stands elsewhere too.
        if (!its.every((key) => goes.has(key) && times.get(key)?.length === 1)) return true;
        for (const key of its) gone.add(key);
        return false;
      });
    if (gone.size > 0) {
      const wanted = before.filter((setting) => !gone.has(keyOf(setting)));
      writeFileSync(this.#path, kept.join(''), 'latin1');
      await this.#mustHold(wanted);
    }
    for (const setting of settings) {
      if (!gone.has(keyOf(setting))) await this.remove(setting.section, setting.name, setting.value);
    }
  }

  #read(): string {
    return readFileSync(this.#path, 'utf8');
  }

  /** Makes sure that Git reads these settings from the copy, and no others. */
  async #mustHold(wanted: readonly GitSetting[]): Promise<void> {
    const found = await this.settings();
    if (found.length === wanted.length && wanted.every((one, i) => keyOf(one) === keyOf(found[i]))) return;
    throw unchangeable(this.#file, 'Git would read other settings from it than those that were to be written.');
  }

  /** Whether there is exactly one section of that name, and it is empty, even of comments. */
  #isHeadingOnly(section: string): boolean {
    const dot = section.indexOf('.');
    const subsection = section.slice(dot + 1).replace(/[\\"]/g, '\\$&');
    const heading = dot === -1 ? `[${section}]` : `[${section.slice(0, dot)} "${subsection}"]`;
    const lines = this.#read().split('\n');
    const at = lines.indexOf(heading);
    const next = lines[at + 1] ?? '';
    const isEmpty = next.startsWith('[') || (next === '' && at + 2 >= lines.length);
    return at !== -1 && isEmpty && !lines.includes(heading, at + 1);
  }

  async #config(args: string[], accepted = [0]): Promise<{ stdout: string }> {
    try {
      // Git must not look for a repository here or above: its configuration could be broken, or another user's.
      const cwd = dirname(this.#path);
      const env = { ...this.#env, GIT_CEILING_DIRECTORIES: dirname(cwd) };
      return await git(['config', '--file', this.#path, ...args], env, { accepted, cwd });
    } catch (error) {
      if (!(error instanceof Problem) || error.kind !== 'git-config') throw error;
      const why = error.why.replaceAll(this.#path, this.#file);
      throw new Problem({ ...error, what: `Git cannot change ${this.#file}.`, why, fix: error.fix });
    }
  }
}

/** A value that Git writes as it is, without quotes. */
const plainValue = /^[\w.:/@%*+,=-]+$/;

/** A section's heading as Git writes it; undefined if something in it must be escaped. */
function plainHeading(section: string): string | undefined {
  const [, kind, subsection] = /^([a-z]+)(?:\.([^"\\\r\n\0]+))?$/.exec(section) ?? [];
  if (kind === undefined) return undefined;
  return subsection === undefined ? `[${kind}]` : `[${kind} "${subsection}"]`;
}

function keyOf({ section, name, value }: Partial<GitSetting> = {}): string {
  return JSON.stringify([section, name?.toLowerCase(), value]);
}
