import { findAgent } from '../../agent/client/find-agent.ts';
import type { Result, Visit } from '../../doctor/check.ts';
import { checks } from '../../doctor/checks.ts';
import { examine, type Listener } from '../../doctor/examine.ts';
import { asJson } from '../../doctor/json.ts';
import { previewOf, repairsOf } from '../../doctor/repair.ts';
import { looksOf, resultText, summaryText, titlesOf } from '../../doctor/result-text.ts';
import { findTarget } from '../../doctor/target-repository.ts';
import { currentFolder } from '../../files/current-folder.ts';
import { Problem } from '../../problem/problem.ts';
import { confirm, openDialog } from '../../terminal/dialog.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import { ProgressLine } from '../../terminal/progress-line.ts';
import { count } from '../../text/count.ts';
import { jsonText } from '../../text/json-text.ts';
import { printable } from '../../text/printable.ts';

export interface DoctorOptions {
  /** JSON for programs. */
  json?: boolean;
  /** Whether to make the repairs that the findings have. */
  fix?: boolean;
  /** Whether to make them without a question. */
  yes?: boolean;
  /** Whether to look for a repository in the regions of the other profiles. */
  tryRegions?: boolean;
}

/** The time limit for all checks together, in seconds. */
const timeLimit = 300;

/**
 * `vouch doctor`: checks everything between here and a repository, first what other checks depend on.
 *
 * @param named a repository's URL or a remote's name
 * @returns 0 when no check has failed, 1 when one has
 */
export async function doctor(named: string | undefined, options: DoctorOptions): Promise<number> {
  const { env, stdout } = process;
  const { signal, release } = interruptible({
    seconds: timeLimit,
    what: `The checks did not end within ${count(timeLimit, 'second')}.`,
    fix: 'Try again; if it stays, report it with what was printed.',
  });
  try {
    await refuseWithLend(env);
    const cwd = currentFolder();
    const target = await findTarget(named, { env, cwd, signal });
    const { tryRegions = false, json: silent = false } = options;
    const look = () => lookOnce({ env, cwd, target, tryRegions, signal, facts: {} }, silent);
    let results = await look();
    let fixed: string[] = [];
    if (options.fix) {
      fixed = await repair(results, options, signal);
      if (fixed.length > 0) results = await look();
    }
    if (options.json) stdout.write(`${jsonText(asJson(results, target?.url, fixed), 2)}\n`);
    return results.some(({ status }) => status === 'failed') ? 1 : 0;
  } finally {
    release();
  }
}

/** With a lend (cli/box), Git asks what was lent: no check here would be about that. */
async function refuseWithLend(env: NodeJS.ProcessEnv): Promise<void> {
  await findAgent(env).catch((error: unknown) => {
    if (error instanceof Problem && error.kind === 'lent') throw error;
  });
}

/** Runs the checks once, and prints each as it ends. */
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
      stdout.write(resultText(result, titles, looks));
    },
  };
  try {
    const { target } = visit;
    if (target) stdout.write(`${printable(target.url)}\n`);
    const results = await examine(checks, visit, listener);
    stdout.write(`\n${summaryText(results, target?.url, looks)}\n`);
    return results;
  } finally {
    progress?.end();
  }
}

/**
 * Makes the repairs, after showing them. On a terminal it asks first, unless `--yes` was given. Without a terminal `--fix` is enough,
 * because there is no person to ask.
 *
 * @returns what was changed
 */
async function repair(results: readonly Result[], options: DoctorOptions, signal: AbortSignal): Promise<string[]> {
  const { stdout } = process;
  const repairs = repairsOf(results);
  const say = (text: string) => options.json || stdout.write(text);
  if (repairs.length === 0) {
    if (results.some(({ status }) => status === 'failed')) say('\nThere is nothing that --fix could do about it.\n');
    return [];
  }
  const preview = await previewOf(repairs);
  say(`\n--fix changes this:\n${preview.map((line) => `  ${printable(line)}\n`).join('')}`);
  const dialog = openDialog(signal, stdout);
  const ask = dialog.isPerson && stdout.isTTY === true && !options.yes && !options.json;
  if (ask && !(await confirm(dialog, 'Do that?'))) return [];
  for (const one of repairs) await one.apply();
  say('Done. Once more:\n\n');
  return preview;
}
