import { isAtLeast } from '../../git/config.ts';
import { type ConfiguredHelper, type CredentialConfig, storingHelpers } from '../../git/effective-config.ts';
import type { Check, Finding, Visit } from '../check.ts';
import { gitCredentials, placeOf } from '../git-credentials.ts';
import { setUp } from '../setup-mend.ts';
import { tilde } from '../tilde.ts';

/** From this Git on, what Vouch answers is marked as not to be stored (`ephemeral`, git-credential(1)). */
const ephemeral = [2, 46] as const;

/** What Git does about credentials for this URL, whatever file says so. */
export const gitConfig: Check = {
  id: 'git-config',
  title: 'Git config',
  needs: () => ['git'],
  // For codecommit:// our remote helper brings these settings along, for each transfer.
  applies: ({ target }) => target?.scheme !== 'codecommit',
  run: async (visit) => {
    const config = await gitCredentials(visit);
    const findings = judge(config, visit);
    return {
      says: summary(config, visit),
      details: describe(config, visit),
      findings,
      data: {
        helpers: config.helpers.map(({ value, section, origin }) => ({ value, section: section ?? null, ...origin })),
        useHttpPath: config.useHttpPath?.value ?? false,
      },
    };
  },
};

function judge(config: CredentialConfig, visit: Visit): Finding[] {
  const { helpers, useHttpPath } = config;
  const at = helpers.findIndex(({ vouch }) => vouch !== undefined);
  if (at === -1) return [notAsked(helpers, visit)];
  const findings: Finding[] = [];
  const before = helpers.slice(0, at);
  if (before.length > 0) findings.push(anotherFirst(before, visit));
  const storing = storingHelpers({ ...config, helpers: helpers.slice(at + 1) });
  if (storing.length > 0) findings.push(stored(storing, visit));
  if (useHttpPath?.value !== true) findings.push(noPath(useHttpPath, visit));
  return findings;
}

function notAsked(helpers: readonly ConfiguredHelper[], visit: Visit): Finding {
  const { target } = visit;
  return {
    id: 'git-config.no-helper',
    severity: 'trouble',
    what: `Git does not ask Vouch for ${target === undefined ? 'CodeCommit' : target.https}.`,
    why: [
      helpers.length === 0
        ? 'No credential helper is configured for it: Git would ask you for a user name and password, and there are none.'
        : `It asks ${names(helpers, visit)}.`,
    ],
    fix: ['Run `vouch setup codecommit`.'],
    mend: setUp(visit),
  };
}

function anotherFirst(before: readonly ConfiguredHelper[], visit: Visit): Finding {
  return {
    id: 'git-config.another-first',
    severity: 'trouble',
    what: `Git asks another helper before Vouch: ${names(before, visit)}.`,
    why: ['What that one answers is used: an old password from a store, or keys that are not yours.'],
    fix: ['Run `vouch setup codecommit`, which clears it for CodeCommit alone.', ...removals(before)],
    mend: setUp(visit),
  };
}

function stored(storing: readonly ConfiguredHelper[], visit: Visit): Finding {
  const { gitVersion } = visit.chart;
  const kept = gitVersion === undefined || !isAtLeast(gitVersion, ephemeral);
  return {
    id: 'git-config.another-stores',
    severity: kept ? 'trouble' : 'warning',
    what: `Git has another helper after Vouch: ${names(storing, visit)}.`,
    why: [
      kept
        ? `Git ${gitVersion?.text ?? ''} hands it what Vouch gave, to be stored, and stored passwords are dead after 15 minutes.`
        : 'Git 2.46 and newer do not hand it what Vouch gave; an older Git would.',
    ],
    fix: [
      ...removals(storing),
      'Or run `vouch setup codecommit` again, with --local if that file is the repository’s.',
    ],
    mend: setUp(visit, storing[0]?.origin.scope),
  };
}

function noPath(setting: CredentialConfig['useHttpPath'], visit: Visit): Finding {
  return {
    id: 'git-config.no-path',
    severity: 'trouble',
    what: 'Git does not tell its helpers the path of the repository (credential.useHttpPath).',
    why: [
      "CodeCommit's password is a signature of the path.",
      ...(setting ? [`It is set to false in ${tilde(placeOf(setting.origin), visit.env)}.`] : []),
    ],
    fix: ['Run `vouch setup codecommit`.'],
    mend: setUp(visit, setting?.origin.scope),
  };
}

/** The commands that take helpers out of the files where they stand. */
function removals(helpers: readonly ConfiguredHelper[]): string[] {
  return helpers.flatMap(({ section, origin }) =>
    origin.file === undefined
      ? []
      : [
          `Or take it out: \`git config --file ${quoted(origin.file)} --unset-all ${quoted(`${section ?? 'credential'}.helper`)}\``,
        ],
  );
}

const quoted = (word: string) => (/^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function names(helpers: readonly ConfiguredHelper[], { env }: Visit): string {
  return helpers.map(({ value, origin }) => `${value} (${tilde(placeOf(origin), env)})`).join(', ');
}

function summary({ helpers }: CredentialConfig, { target }: Visit): string {
  const where = target === undefined ? ' for CodeCommit' : '';
  if (helpers.length === 0) return `asks nobody${where}`;
  return `asks ${helpers.map(({ value, vouch }) => (vouch ? 'vouch' : value)).join(', then ')}${where}`;
}

function describe({ helpers, useHttpPath }: CredentialConfig, { env }: Visit): string[] {
  const lines = helpers.map(
    ({ value, section, origin }, index) =>
      `${index + 1}. ${value} (${section ?? 'credential'}, ${tilde(placeOf(origin), env)})`,
  );
  if (useHttpPath) lines.push(`useHttpPath = ${useHttpPath.value} (${tilde(placeOf(useHttpPath.origin), env)})`);
  return lines;
}
