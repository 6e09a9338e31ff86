import type { Scope } from '../../git/setup/scope-file.ts';
import { type Report, type SetUpOptions, setUpCodeCommit } from '../../git/setup/set-up-codecommit.ts';
import { printNote } from '../../problem/print.ts';
import { Problem } from '../../problem/problem.ts';
import { nextStep } from '../../setup/next-step.ts';
import type { Io } from '../../terminal/io.ts';
import { type ChangedLine, shownLine } from '../../terminal/line-diff.ts';
import { fitted } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';

export interface SetupCodeCommitOptions extends Omit<SetUpOptions, 'scope'> {
  local?: boolean;
  global?: boolean;
  system?: boolean;
  /** Shows every line that is changed. */
  verbose?: boolean;
  /** JSON for programs. */
  json?: boolean;
  /** Whether this is a step of `vouch setup`, which says itself what comes next. */
  isStep?: boolean;
}

/**
 * `vouch setup codecommit`: makes Git ask Vouch for CodeCommit's credentials, in one of Git's own configuration files,
 * or takes that away again.
 */
export async function setupCodeCommit(options: SetupCodeCommitOptions, io: Io, cwd?: string): Promise<number> {
  const report = await setUpCodeCommit({ ...options, scope: scopeOf(options) }, io.env, cwd);
  if (options.json) {
    const { file, scope, changed, dryRun, diff } = report;
    const notes = report.notes.map(({ what, why, fix }) => [what, why, fix].filter(Boolean).join(' '));
    io.stdout.write(`${jsonText({ file, scope, changed, dryRun, diff, notes })}\n`);
    return 0;
  }
  io.stdout.write(report.changed ? changes(report, options, io) : `${nothingToChange(report, options)}\n`);
  if (!options.remove && !report.dryRun && !options.isStep) {
    io.stdout.write(fitted(`Next: ${await nextStep(io.env, ['codecommit'])}\n`, io.stdout));
  }
  for (const note of report.notes) printNote(io.stderr, note);
  return 0;
}

function scopeOf({ local, global, system }: SetupCodeCommitOptions): Scope {
  if ([local, global, system].filter(Boolean).length > 1) {
    throw new Problem({
      kind: 'usage',
      what: '--local, --global and --system name three different files.',
      why: 'One setup changes one file.',
      fix: 'Name one of them.',
    });
  }
  return local ? 'local' : system ? 'system' : 'global';
}

function nothingToChange({ file }: Report, { remove, region, url, profile }: SetupCodeCommitOptions): string {
  if (!remove) return 'Git asks Vouch for CodeCommit already, nothing to change';
  const those = [region, url, profile && `the profile ${profile}`].filter(Boolean).join(' and ');
  return `Nothing of Vouch${those && ` for ${those}`} is in ${file}, nothing to change`;
}

function changes(report: Report, options: SetupCodeCommitOptions, io: Io): string {
  const { gitVersion, file, dryRun, diff } = report;
  const [does, would] = options.remove ? ['no longer asks', 'would no longer ask'] : ['now asks', 'would ask'];
  const said = report.stillAsked
    ? 'Vouch is taken out.'
    : `Git ${gitVersion} ${dryRun ? would : does} Vouch for CodeCommit.`;
  const inFull = options.verbose === true || dryRun;
  const shown = inFull ? diff.map((one) => coloured(one, io)) : decisions(report, options);
  const colon = inFull || shown.length > 0 ? ':' : '';
  const lines = [`${said} ${dryRun ? 'This would change' : 'Changed'} ${file}${colon}`, ...shown];
  if (dryRun) lines.push('Nothing was written (--dry-run)');
  return lines.map((line) => `${inFull ? line : fitted(line, io.stdout)}\n`).join('');
}

/** The decisions, a line each: most people do not want to read every changed line. */
function decisions({ written }: Report, { region, url, profile }: SetupCodeCommitOptions): string[] {
  const where = url ?? (region === undefined ? 'every repository of CodeCommit' : `every repository in ${region}`);
  const whom = profile === undefined ? 'Vouch alone' : `Vouch alone, with profile ${profile},`;
  const made: [setting: string, words: string][] = [
    ['helper', `${whom} is asked for ${where}; other helpers are not (helper)`],
    ['useHttpPath', 'Git sends Vouch the path, because a password is for one repository only (useHttpPath)'],
    ['proactiveAuth', 'credentials go along with the first request (proactiveAuth)'],
    ['emptyAuth', "a profile's name may stand in a URL, as in https://prod@… (emptyAuth)"],
    ['allow', 'submodules may have codecommit:// addresses (protocol.codecommit.allow)'],
  ];
  return made.flatMap(([setting, words]) => (written.has(setting) ? [`  ${words}`] : []));
}

function coloured(changed: ChangedLine, { stdout, env }: Io): string {
  const plain = shownLine(changed);
  const onTerminal = 'isTTY' in stdout && stdout.isTTY === true && !env.NO_COLOR;
  return onTerminal && changed.sign !== ' ' ? `\x1b[${changed.sign === '+' ? 32 : 31}m${plain}\x1b[0m` : plain;
}
