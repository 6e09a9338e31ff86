import { shellWord } from '../../aws/config/command-line.ts';
import { type Report, type SetUpOptions, setUpProfile } from '../../aws/config/set-up-profile.ts';
import { missingUserSections } from '../../git/setup/user-sections.ts';
import { nextStep } from '../../setup/next-step.ts';
import { type Ask, ask, openDialog } from '../../terminal/dialog.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import type { Io } from '../../terminal/io.ts';
import { speaker } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';

export interface SetupAwsOptions extends SetUpOptions {
  /** JSON for programs. */
  json?: boolean;
  /** Whether this is a step of `vouch setup`, which says itself what comes next. */
  isStep?: boolean;
}

/**
 * `vouch setup aws`: writes a profile that gets its credentials from Vouch into AWS's config file, or takes it out.
 *
 * @param terminal whether a person can be asked for what is missing in the options
 */
export async function setupAws(
  options: SetupAwsOptions,
  io: Io,
  terminal: boolean = process.stdin.isTTY === true,
): Promise<number> {
  const report = await setUpProfile(options, io.env, terminal ? askPerson : undefined);
  const notes = await notesFor(report, io.env);
  if (options.json) {
    const { profile, file, change, dryRun, settings = null, diff } = report;
    io.stdout.write(`${jsonText({ profile, file, change, dryRun, settings, diff, notes })}\n`);
  } else {
    const lines = linesFor(report, notes, options);
    if (!options.remove && !report.dryRun && !options.isStep) lines.push(`Next: ${await nextStep(io.env, ['aws'])}`);
    speaker(io.stdout)(lines.join('\n'));
  }
  return 0;
}

const askPerson: Ask = async (question) => {
  const { signal, release } = interruptible();
  try {
    return await ask(openDialog(signal), question);
  } finally {
    release();
  }
};

/** What a person should know, and do, after a profile was written. */
async function notesFor({ profile, change, dryRun, staysDefault }: Report, env: NodeJS.ProcessEnv): Promise<string[]> {
  if (dryRun || change === 'none' || change === 'removed') return [];
  const notes =
    staysDefault === undefined
      ? []
      : [
          `Profile ${staysDefault} stays the default: it serves the repositories for which nothing names another.`,
          `To use ${profile}: \`vouch setup codecommit --profile ${profile}\` for all, with --url for one, or ${profile}@ in a URL.`,
        ];
  // Without a working Git there is nothing to say about it.
  const missing = await missingUserSections(env).catch((): string[] => []);
  if (missing.includes(profile))
    notes.push(
      `So that ${profile}@ can stand in a repository's URL: \`vouch setup codecommit --user ${shellWord(profile)}\``,
    );
  return notes;
}

const verbs = {
  written: ['Wrote', 'Would write'],
  changed: ['Changed', 'Would change'],
  removed: ['Removed', 'Would remove'],
} as const;

function linesFor(
  { profile, file, change, dryRun, role, diff }: Report,
  notes: readonly string[],
  { remove = false }: SetupAwsOptions,
): string[] {
  if (change === 'none') {
    return remove
      ? [`There is no profile ${profile} in ${file}, nothing to change`]
      : [`Profile ${profile} in ${file} is set up for ${role} already, nothing to change`];
  }
  const changed = diff.map(({ sign, line }) => `  ${sign} ${line}`.trimEnd());
  return [`${verbs[change][dryRun ? 1 : 0]} profile ${profile} in ${file}`, ...changed, ...notes];
}
