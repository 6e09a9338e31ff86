import {
  appendFileSync,
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { currentFolder } from '../../files/current-folder.ts';
import { readRegularFile } from '../../files/read-file.ts';
import { followLinks } from '../../files/replace-file.ts';
import { checkOwner } from '../../files/safe-way.ts';
import { Problem } from '../../problem/problem.ts';
import { git } from '../git.ts';

/** Which of Git's files: the machine's, the user's, or the repository's. */
export type Scope = 'system' | 'global' | 'local';

/** A setting in the file itself, without what it includes. */
export interface Setting {
  /** `credential.https://…`, `include`; section and name in lower case, the subsection as it is written. */
  section: string;
  name: string;
  value: string;
}

/**
 * The file that `git config --<scope>` writes, whether it exists yet or not. Git says which one that is, as far as it
 * tells that without writing.
 *
 * @throws Problem `no-repository` for `local` outside of one
 */
export async function configFileOf(scope: Scope, env: NodeJS.ProcessEnv, cwd?: string): Promise<string> {
  if (scope === 'local') return localFile(env, cwd);
  const listed = await git(['config', `--${scope}`, '--null', '--show-origin', '--list'], env, {
    accepted: [0, 1, 128],
    cwd,
  });
  const [origin = ''] = listed.stdout.split('\0');
  if (listed.code === 0 && origin.startsWith('file:')) return absolute(origin.slice('file:'.length), cwd);
  return scope === 'global' ? newGlobalFile(env) : systemFile(env, cwd);
}

/**
 * Changes one of Git's configuration files in one step: all edits are made on a copy, by `git config` or with its consent, which then takes the
 * file's place the way that Git itself does it (a lock file beside it, renamed). Whatever fails half way, the file is as
 * it was. A symbolic link stays one, and the mode is kept.
 *
 * @param file as `configFileOf` gives it
 * @param edit what to do to the copy
 * @param dryRun whether to stop before the file is touched, without taking the lock
 * @returns the file's text before and after
 * @throws Problem `config-locked`, `config-file`; `unsafe-folder` when we are root, and it is another user's
 */
export async function changeConfigFile<T>(
  file: string,
  env: NodeJS.ProcessEnv,
  { dryRun }: { dryRun: boolean },
  edit: (copy: ConfigCopy) => Promise<T>,
): Promise<{ before: string; after: string; result: T }> {
  const target = followLinks(file);
  const found = statSync(target, { throwIfNoEntry: false });
  if (found && !found.isFile()) throw unusable(file, 'It is no regular file.');
  if (!dryRun) checkOwner(file);
  const lock = dryRun ? undefined : takeLock(file, `${target}.lock`, found?.mode);
  const folder = mkdtempSync(join(tmpdir(), 'vouch-'));
  try {
    const path = join(folder, 'config');
    const before = read(target);
    writeFileSync(path, before ?? '', { mode: 0o600 });
    const result = await edit(new ConfigCopy(path, file, env));
    const after = readFileSync(path);
    const same = after.equals(before ?? Buffer.alloc(0));
    if (lock !== undefined && !same) {
      writeFileSync(lock.descriptor, after);
      fsyncSync(lock.descriptor);
      renameSync(lock.path, target);
    }
    return { before: (before ?? '').toString(), after: after.toString(), result };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    if (lock !== undefined) {
      closeSync(lock.descriptor);
      // After the rename there is none, or it is another's by now: the descriptor tells.
      if (lock.isStillThere()) rmSync(lock.path, { force: true });
    }
  }
}

/**
 * A copy of a configuration file, edited by `git config`. Where many settings come or go, one process for each would take a
 * minute: whole sections of the form that Git itself writes are then added and taken out as text, and Git must read from it
 * exactly what was wanted.
 */
export class ConfigCopy {
  readonly #path: string;
  readonly #file: string;
  readonly #env: NodeJS.ProcessEnv;

  /**
   * @param path the copy
   * @param file what it is a copy of
   */
  constructor(path: string, file: string, env: NodeJS.ProcessEnv) {
    this.#path = path;
    this.#file = file;
    this.#env = env;
  }

  async settings(): Promise<Setting[]> {
    const { stdout } = await this.#config(['--null', '--list']);
    return stdout
      .split('\0')
      .slice(0, -1)
      .map((setting) => {
        const newline = setting.indexOf('\n');
        const key = newline === -1 ? setting : setting.slice(0, newline);
        const dot = key.lastIndexOf('.');
        const value = newline === -1 ? 'true' : setting.slice(newline + 1);
        return { section: key.slice(0, dot), name: key.slice(dot + 1), value };
      });
  }

  /** Adds a value after those that are there, in the section of that name if there is one. */
  async add(section: string, name: string, value: string): Promise<void> {
    await this.#config(['--add', `${section}.${name}`, value]);
  }

  /** As `add` does it with each, but all new sections in one step. */
  async addAll(settings: readonly Setting[]): Promise<void> {
    const text = this.#read();
    const headings = text.split('\n').filter((line) => /^\s*\[/.test(line));
    const fresh = new Map<string, Setting[]>();
    const others: Setting[] = [];
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

  /** Adds a section at the end of the file, also where there is one of that name already. */
  async append(section: string, settings: readonly (readonly [name: string, value: string])[]): Promise<void> {
    // Git adds to the last section of a name, be there but its heading: a name that nobody uses makes it begin a new one.
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

  /** As `remove` does it with each, but all sections in one step in which nothing else is. */
  async removeAll(settings: readonly Setting[]): Promise<void> {
    const before = await this.settings();
    const times = Map.groupBy(before, keyOf);
    const goes = new Set(settings.map(keyOf));
    const headings = new Set(settings.map(({ section }) => plainHeading(section)));
    const gone = new Set<string>();
    // Byte for byte: a comment or a name may be in another encoding than ours.
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
        // What stands elsewhere as well is left to Git.
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
  async #mustHold(wanted: readonly Setting[]): Promise<void> {
    const found = await this.settings();
    if (found.length === wanted.length && wanted.every((one, i) => keyOf(one) === keyOf(found[i]))) return;
    throw unusable(this.#file, 'Git would read other settings from it than those that were to be written.');
  }

  /** Whether there is one section of that name, and nothing in it, not even a comment. */
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
      // Away from any repository: its configuration could be broken, and above this folder it could be anybody's.
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

/** A section's heading as Git writes it; undefined where something in it would have to be escaped. */
function plainHeading(section: string): string | undefined {
  const [, kind, subsection] = /^([a-z]+)(?:\.([^"\\\r\n\0]+))?$/.exec(section) ?? [];
  if (kind === undefined) return undefined;
  return subsection === undefined ? `[${kind}]` : `[${kind} "${subsection}"]`;
}

function keyOf({ section, name, value }: Partial<Setting> = {}): string {
  return JSON.stringify([section, name?.toLowerCase(), value]);
}

/** Git writes the user's own file, or else the one in XDG's folder if that exists (git-config(1), FILES). */
function newGlobalFile(env: NodeJS.ProcessEnv): string {
  if (env.GIT_CONFIG_GLOBAL) return absolute(env.GIT_CONFIG_GLOBAL);
  // Git itself would look in the folder where it runs.
  if (!env.HOME || !isAbsolute(env.HOME)) {
    throw unusable('Your Git configuration', `HOME is not ${env.HOME ? `an absolute path: ${env.HOME}` : 'set.'}`);
  }
  const own = join(env.HOME, '.gitconfig');
  const { XDG_CONFIG_HOME } = env;
  const xdg = join(
    XDG_CONFIG_HOME && isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(env.HOME, '.config'),
    'git/config',
  );
  return !existsSync(own) && existsSync(xdg) ? xdg : own;
}

/** Where Git was built to look: it hands the name to an editor, and creates nothing. */
async function systemFile(env: NodeJS.ProcessEnv, cwd: string | undefined): Promise<string> {
  const { stdout } = await git(['config', '--system', '--edit'], { ...env, GIT_EDITOR: "printf '%s'" }, { cwd });
  return absolute(stdout, cwd);
}

async function localFile(env: NodeJS.ProcessEnv, cwd: string | undefined): Promise<string> {
  const found = await git(['rev-parse', '--path-format=absolute', '--git-path', 'config'], env, {
    accepted: [0, 128],
    cwd,
  });
  if (found.code === 0) return found.stdout.replace(/\n$/, '');
  throw new Problem({
    kind: 'no-repository',
    what: 'There is no Git repository here, so that --local has no file to write.',
    fix: 'Change into a repository, or leave --local out.',
  });
}

function takeLock(file: string, path: string, mode?: number) {
  try {
    // As Git does it: who creates the lock has it (api-lockfile in Git's sources).
    // Never open to more people than the file, which may hold tokens.
    const descriptor = openSync(path, 'wx', (mode ?? 0o666) & 0o666);
    // The umask does not apply to this.
    if (mode !== undefined) fchmodSync(descriptor, mode & 0o7777);
    const { ino } = statSync(path);
    return { descriptor, path, isStillThere: () => statSync(path, { throwIfNoEntry: false })?.ino === ino };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Problem({
        kind: 'config-locked',
        what: `Another program is changing ${file}, or was ended while it did.`,
        why: `Git's lock is there: ${path}`,
        fix: `Try again. If nothing is running, remove that file (rm '${path}').`,
      });
    }
    throw unusable(file, (error as Error).message, error);
  }
}

/** No config file of Git's is longer, in bytes. */
const longestConfig = 16 * 1024 * 1024;

function read(file: string): Buffer | undefined {
  try {
    return readRegularFile(file, longestConfig);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(file, (error as Error).message, error);
  }
}

function unusable(file: string, why: string, cause?: unknown): Problem {
  return new Problem(
    {
      kind: 'config-file',
      what: `${file} cannot be changed.`,
      why,
      fix: 'Check its owner and mode (the --system one needs root), or choose another with --global or --local.',
    },
    { cause },
  );
}

function absolute(path: string, cwd = currentFolder()): string {
  return isAbsolute(path) ? path : resolve(cwd, path);
}
