import { shellWord } from '../../aws/config/command-line.ts';
import { vouchProfiles } from '../../aws/config/profiles.ts';
import { findOnPath } from '../../files/on-path.ts';
import { credentialEntries } from '../../git/effective-config.ts';
import { checkGit, gitVersion, takesEphemeral } from '../../git/git.ts';
import { addOurs, ourSections, removeOurs, type WantedSetting } from '../../git/setup/arrange.ts';
import { changeConfigFile, configFileOf, type Scope, type Setting } from '../../git/setup/config-file.ts';
import { findingsForAll } from '../../git/setup/effect.ts';
import { remoteHelper } from '../../git/setup/remote-helper.ts';
import { httpSettings, type UrlPattern, urlPatterns, usage } from '../../git/setup/wanted.ts';
import { helperByPath, vouchHelper } from '../../git/vouch-helper.ts';
import { Problem } from '../../problem/problem.ts';
import { credentialHelperScript } from '../../programs.ts';
import type { Io } from '../../terminal/io.ts';
import { type ChangedLine, lineDiff } from '../../terminal/line-diff.ts';
import { jsonText } from '../../text/json-text.ts';
import { printable } from '../../text/printable.ts';

export interface SetupCodeCommitOptions {
  /** Only this region's hosts. */
  region?: string;
  /** The AWS profile whose role serves these URLs. */
  profile?: string;
  /** Only this host or repository. */
  url?: string;
  local?: boolean;
  global?: boolean;
  system?: boolean;
  /** Show, and write nothing. */
  dryRun?: boolean;
  /** Take away what setup added. */
  remove?: boolean;
  /** False with `--no-remote-helper`: nothing is set up for `codecommit://`. */
  remoteHelper?: boolean;
  /** Write the helper's absolute path, and Node's. */
  absolute?: boolean;
  /** Show every line that is changed. */
  verbose?: boolean;
  json?: boolean;
}

interface Report {
  file: string;
  scope: Scope;
  /** Whether the file has been changed, or would be. */
  changed: boolean;
  dryRun: boolean;
  diff: ChangedLine[];
  /** What a person should know: sentences. */
  notes: string[];
}

/**
 * `vouch setup codecommit`: makes Git ask Vouch for CodeCommit's credentials, in one of Git's own configuration files,
 * or takes that away again.
 */
export async function setupCodeCommit(options: SetupCodeCommitOptions, io: Io, cwd?: string): Promise<number> {
  const version = await checkGit(io.env);
  const report = await (options.remove ? remove(options, io.env, cwd) : add(options, io.env, cwd));
  if (options.json) io.stdout.write(`${jsonText(report)}\n`);
  else print(report, options, version, io);
  return 0;
}

async function add(options: SetupCodeCommitOptions, env: NodeJS.ProcessEnv, cwd: string | undefined): Promise<Report> {
  const scope = scopeOf(options);
  const profiles = await vouchProfiles(env);
  const profile = options.profile === undefined ? undefined : namedProfile(options.profile, profiles);
  const patterns = urlPatterns({ region: options.region, url: options.url, profile });
  const version = await gitVersion(env);
  const settings: WantedSetting[] = httpSettings(patterns, profile ? [profile] : profiles, version);
  if (options.remoteHelper !== false) {
    settings.push({ section: 'protocol.codecommit', name: 'allow', value: 'always' });
  }
  const file = await configFileOf(scope, env, cwd);
  const dryRun = options.dryRun === true;
  const { before, after, result } = await changeConfigFile(file, env, { dryRun }, async (copy) => {
    const has = await copy.settings();
    const left = await addOurs(copy, { sections: patterns.map((one) => wantedSection(one, options, has)), settings });
    return left.map((setting) => leftAlone(setting, file, settings));
  });
  const notes = [...result, ...programNotes(options, env)];
  // What takes effect can only be seen when it has been written.
  if (!dryRun) notes.push(...(await findingsForAll(patterns, env, takesEphemeral(version), cwd)));
  return { file, scope, changed: before !== after, dryRun, diff: lineDiff(before, after), notes };
}

async function remove(
  options: SetupCodeCommitOptions,
  env: NodeJS.ProcessEnv,
  cwd: string | undefined,
): Promise<Report> {
  const scope = scopeOf(options);
  const narrowed = options.region !== undefined || options.url !== undefined;
  const patterns = narrowed ? urlPatterns({ region: options.region, url: options.url }) : [];
  const only = narrowed ? (pattern: string) => patterns.some((one) => one.pattern === pattern) : undefined;
  const file = await configFileOf(scope, env, cwd);
  const dryRun = options.dryRun === true;
  const { before, after, result } = await changeConfigFile(file, env, { dryRun }, async (copy) => {
    const profile = options.profile;
    if (profile === undefined) {
      await removeOurs(copy, only);
      return narrowed;
    }
    const its = ourSections(await copy.settings()).filter(({ helper }) => vouchHelper(helper)?.profile === profile);
    await removeOurs(copy, (pattern) => its.some((one) => one.pattern === pattern) && (only?.(pattern) ?? true));
    return true;
  });
  const notes = dryRun || result ? [] : await remaining(file, env, cwd);
  return { file, scope, changed: before !== after, dryRun, diff: lineDiff(before, after), notes };
}

/** What other files still have Git ask Vouch, after all of ours was taken out of one. */
async function remaining(file: string, env: NodeJS.ProcessEnv, cwd: string | undefined): Promise<string[]> {
  const entries = await credentialEntries(env, cwd);
  const others = entries.filter(
    ({ name, value, origin }) => name === 'helper' && vouchHelper(value) !== undefined && origin.file !== file,
  );
  const places = new Map(others.map(({ origin }) => [origin.file ?? '', origin.scope]));
  return [...places].map(([place, scope]) => {
    const how =
      scope === 'command' || scope === 'worktree'
        ? ''
        : ` \`vouch setup codecommit --remove --${scope}\` takes them out.`;
    return `Git still asks Vouch here, by settings in ${place || "Git's command line"}.${how}`;
  });
}

function scopeOf({ local, global, system }: SetupCodeCommitOptions): Scope {
  if ([local, global, system].filter(Boolean).length > 1) {
    throw usage(
      '--local, --global and --system name three different files.',
      'One setup changes one file.',
      'Name one of them.',
    );
  }
  return local ? 'local' : system ? 'system' : 'global';
}

function namedProfile<T extends { name: string; role: { arn: string } }>(name: string, profiles: readonly T[]): T {
  const found = profiles.find((profile) => profile.name === name);
  if (found) return found;
  const list = profiles.map((profile) => `${profile.name} (${profile.role.arn})`).join(', ');
  throw new Problem({
    kind: 'unknown-profile',
    what: `Vouch has no AWS profile "${name}".`,
    why: list === '' ? 'Your AWS config has no profile of Vouch.' : `Vouch's profiles are: ${list}.`,
    fix: `Name one of those, or run \`vouch setup aws --profile ${shellWord(name)}\` first.`,
    category: 'usage',
  });
}

/** The helper for a pattern: with the profile that is asked for, or else with the one that it had. */
function wantedSection({ pattern }: UrlPattern, options: SetupCodeCommitOptions, has: readonly Setting[]) {
  const before = ourSections(has).find((one) => one.pattern === pattern);
  const profile = options.profile ?? (before && vouchHelper(before.helper)?.profile);
  const rest = profile === undefined ? [] : ['--profile', profile];
  const helper = options.absolute
    ? helperByPath(credentialHelperScript(), '--node', process.execPath, ...rest)
    : ['vouch', ...rest].map(shellWord).join(' ');
  return { pattern, helper };
}

function leftAlone({ section, name, value }: Setting, file: string, wanted: readonly WantedSetting[]): string {
  const ours = wanted.find((one) => one.section === section && one.name === name)?.value;
  return `${file} has ${section}.${name} = ${value}, which was left as it is. Vouch would have it ${ours}.`;
}

/** Programs that Git would not find, or would find too early. */
function programNotes(options: SetupCodeCommitOptions, env: NodeJS.ProcessEnv): string[] {
  const notes: string[] = [];
  if (!options.absolute && findOnPath('git-credential-vouch', env).length === 0) {
    notes.push(
      'git-credential-vouch is not on your PATH, so Git will not find it. ' +
        'Add the folder of the `vouch` command to your PATH, or run this with --absolute.',
    );
  }
  const remote = options.remoteHelper === false ? undefined : remoteHelper(env);
  if (remote?.isOurs === false) {
    notes.push(
      `Another git-remote-codecommit comes first on your PATH, so Git will use that for codecommit:// and not Vouch's: ${remote.file}. ` +
        'Remove it, or put the folder of the `vouch` command before it.',
    );
  }
  return notes;
}

function print(report: Report, options: SetupCodeCommitOptions, version: string, io: Io): void {
  const { file, changed, dryRun, diff, notes } = report;
  if (!changed) {
    const { region, url, profile } = options;
    const those = [region, url, profile && `the profile ${profile}`].filter(Boolean).join(' and ');
    const already = options.remove
      ? `Nothing of Vouch${those && ` for ${those}`} is in ${file}, nothing to change`
      : 'Git asks Vouch for CodeCommit already, nothing to change';
    io.stdout.write(`${already}\n`);
  } else {
    const [does, would] = options.remove ? ['no longer asks', 'would no longer ask'] : ['now asks', 'would ask'];
    const stays = options.remove && notes.length > 0;
    const said = stays ? 'Vouch is taken out.' : `Git ${version} ${dryRun ? would : does} Vouch for CodeCommit.`;
    const inFull = options.verbose === true || dryRun;
    const decided = inFull || options.remove ? [] : decisions(diff, options);
    io.stdout.write(
      `${said} ${dryRun ? 'This would change' : 'Changed'} ${file}${inFull || decided.length > 0 ? ':' : ''}\n`,
    );
    if (inFull) io.stdout.write(diff.map((one) => `${coloured(one, io)}\n`).join(''));
    io.stdout.write(decided.map((one) => `  ${one}\n`).join(''));
    if (dryRun) io.stdout.write('Nothing was written (--dry-run)\n');
    else if (!options.remove)
      io.stdout.write('Next: `vouch login`, then `git clone`; `vouch doctor` says what is missing.\n');
  }
  for (const note of notes) {
    const [what, ...rest] = note.split(/(?<=\.) (?=[A-Z`])/);
    io.stderr.write(`vouch: ${what}\n${rest.length > 0 ? `  ${rest.join(' ')}\n` : ''}`);
  }
}

/** What was decided, a line each, for who does not want to read every line of it. */
function decisions(diff: readonly ChangedLine[], { region, url, profile }: SetupCodeCommitOptions): string[] {
  const has = (setting: RegExp) => diff.some(({ sign, line }) => sign === '+' && setting.test(line));
  const where = url ?? (region === undefined ? 'every repository of CodeCommit' : `every repository in ${region}`);
  const whom = profile === undefined ? 'Vouch alone' : `Vouch alone, with profile ${profile},`;
  const made: [setting: RegExp, words: string][] = [
    [/\bhelper = \S/, `${whom} is asked for ${where}; other helpers are not (helper)`],
    [/\buseHttpPath = /, 'Git tells Vouch which repository it is, as the password is for that alone (useHttpPath)'],
    [/\bproactiveAuth = /, 'credentials go along with the first request (proactiveAuth)'],
    [/\bemptyAuth = /, "a profile's name may stand in a URL, as in https://prod@… (emptyAuth)"],
    [/\ballow = /, 'submodules may have codecommit:// addresses (protocol.codecommit.allow)'],
  ];
  return made.flatMap(([setting, words]) => (has(setting) ? [words] : []));
}

function coloured({ sign, line }: ChangedLine, { stdout, env }: Io): string {
  const indent = line.startsWith('\t') ? '    ' : '';
  const plain = `${sign} ${indent}${printable(line.replace(/[\r\t]/g, ' '), 10_000)}`.trimEnd();
  const onTerminal = 'isTTY' in stdout && stdout.isTTY === true && !env.NO_COLOR;
  return onTerminal && sign !== ' ' ? `\x1b[${sign === '+' ? 32 : 31}m${plain}\x1b[0m` : plain;
}
