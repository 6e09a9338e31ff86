import type { Finding, Mend, Result, Setup, Visit } from '../../doctor/check.ts';
import { checks } from '../../doctor/checks.ts';
import { examine, type Listener } from '../../doctor/examine.ts';
import { mendsOf, previewOf } from '../../doctor/fix.ts';
import { describeResult, describeWhole, looksOf, titlesOf } from '../../doctor/print.ts';
import { findTarget } from '../../doctor/target.ts';
import { currentFolder } from '../../files/current-folder.ts';
import { Problem } from '../../problem/problem.ts';
import { confirm, openDialog } from '../../terminal/dialog.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import type { ChangedLine } from '../../terminal/line-diff.ts';
import { ProgressLine } from '../../terminal/progress-line.ts';
import { count } from '../../text/count.ts';
import { jsonText } from '../../text/json-text.ts';
import { printable } from '../../text/printable.ts';
import { setupCodeCommit } from './setup-codecommit.ts';

export interface DoctorOptions {
  /** JSON for programs. */
  json?: boolean;
  /** Whether to do what is safe to do about what was found. */
  fix?: boolean;
  /** Whether to do it without a question. */
  yes?: boolean;
  /** Whether to look for a repository in the regions of the other profiles. */
  tryRegions?: boolean;
}

/** Longer than all checks together may take, in seconds. */
const longest = 300;

/**
 * `vouch doctor`: looks at everything between here and a repository, in the order in which it depends on each other.
 *
 * @param named a repository's URL or a remote's name
 * @returns 0 when every check that was tried is well, 1 when one has failed
 */
export async function doctor(named: string | undefined, options: DoctorOptions): Promise<number> {
  const { env, stdout } = process;
  const { signal, release } = interruptible({
    seconds: longest,
    what: `The checks did not end within ${count(longest, 'second')}.`,
    fix: 'Try again; if it stays, report it with what was printed.',
  });
  try {
    const cwd = currentFolder();
    const target = await findTarget(named, { env, cwd, signal });
    const { tryRegions = false, json: silent = false } = options;
    const setUp = (setup: Setup) => setUpMend(setup, env);
    const look = () => lookOnce({ env, cwd, target, tryRegions, signal, setUp, chart: {} }, silent);
    let results = await look();
    let fixed: string[] = [];
    if (options.fix) {
      fixed = await fix(results, options, signal);
      if (fixed.length > 0) results = await look();
    }
    if (options.json) stdout.write(`${jsonText(asJson(results, target?.url, fixed), 2)}\n`);
    return results.some(({ status }) => status === 'failed') ? 1 : 0;
  } finally {
    release();
  }
}

/** Runs the checks once, and tells of each as it ends. */
async function lookOnce(visit: Visit, silent: boolean): Promise<Result[]> {
  const { stdout, stderr, env } = process;
  if (silent) return examine(checks, visit);
  const looks = looksOf(stdout, env);
  const titles = titlesOf(checks);
  let progress: ProgressLine | undefined;
  const listener: Listener = {
    starts: ({ title }) => {
      if (!stderr.isTTY) return;
      progress = new ProgressLine(stderr);
      progress.show(`  ${title} …`);
    },
    ends: (result) => {
      progress?.end();
      stdout.write(describeResult(result, titles, looks));
    },
  };
  try {
    const { target } = visit;
    if (target) stdout.write(`${printable(target.url)}\n`);
    const results = await examine(checks, visit, listener);
    stdout.write(`\n${describeWhole(results, target?.url, looks)}\n`);
    return results;
  } finally {
    progress?.end();
  }
}

/**
 * Does what is safe, after showing it. On a terminal it asks first, unless it was told yes; elsewhere `--fix` is the answer,
 * as nobody could give another.
 *
 * @returns what was done
 */
async function fix(results: readonly Result[], options: DoctorOptions, signal: AbortSignal): Promise<string[]> {
  const { stdout } = process;
  const mends = mendsOf(results);
  const say = (text: string) => options.json || stdout.write(text);
  if (mends.length === 0) {
    if (results.some(({ status }) => status === 'failed')) say('\nThere is nothing that --fix could do about it.\n');
    return [];
  }
  const preview = await previewOf(mends);
  say(`\n--fix changes this:\n${preview.map((line) => `  ${printable(line)}\n`).join('')}`);
  const dialog = openDialog(signal, stdout);
  const ask = dialog.isPerson && stdout.isTTY === true && !options.yes && !options.json;
  if (ask && !(await confirm(dialog, 'Do that?'))) return [];
  for (const mend of mends) await mend.apply();
  say('Done. Once more:\n\n');
  return preview;
}

/** `vouch setup codecommit` as a mend: first what it would change, then the change. */
function setUpMend({ scope = 'global', url, absolute = false }: Setup, env: NodeJS.ProcessEnv): Mend {
  const run = async (dryRun: boolean) => {
    const said = { stdout: '', stderr: '' };
    const io = {
      env,
      stdout: { write: (text: string) => (said.stdout += text) },
      stderr: { write: (text: string) => (said.stderr += text) },
    };
    const code = await setupCodeCommit({ [scope]: true, ...(url && { url }), absolute, dryRun, json: true }, io);
    if (code === 0) return JSON.parse(said.stdout) as { file: string; diff: ChangedLine[] };
    const [what = '', ...why] = said.stderr
      .replace(/^vouch: /, '')
      .trim()
      .split('\n');
    throw new Problem({ kind: 'git-config', what, why: why.join(' ') });
  };
  return {
    name: `setup ${scope} ${url} ${absolute}`,
    preview: async () => {
      const { file, diff } = await run(true);
      return [`${file}:`, ...diff.map(({ sign, line }) => `${sign} ${line.replace(/^\t/, '    ')}`)];
    },
    apply: async () => {
      await run(false);
    },
  };
}

/** For scripts: names that stay, and nothing secret. */
function asJson(results: readonly Result[], url: string | undefined, fixed: readonly string[]) {
  return {
    ok: !results.some(({ status }) => status === 'failed'),
    url: url ?? null,
    fixed,
    checks: results.map((result) => ({
      id: result.id,
      status: result.status,
      ...(result.status === 'not-tried'
        ? { waitsFor: result.waitsFor }
        : { says: result.says, ...(result.data && { data: result.data }) }),
      findings: result.findings.map(findingAsJson),
    })),
  };
}

function findingAsJson({ id, severity, what, why = [], fix: steps = [], mend }: Finding) {
  return { id, severity, what, why, fix: steps, fixable: mend !== undefined };
}
