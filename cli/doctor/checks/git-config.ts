import { shellWord } from '../../aws/config/command-line.ts';
import type { CredentialConfig } from '../../git/effective-config.ts';
import { takesEphemeral } from '../../git/git.ts';
import { type Obstacle, obstaclesFor, shown, uncoveredUrl } from '../../git/obstacles.ts';
import type { Scope } from '../../git/setup/scope-file.ts';
import { missingUserSections } from '../../git/setup/user-sections.ts';
import type { Check, Finding, Visit } from '../check.ts';
import { credentialSettings, exampleUrl, placeOf } from '../credential-settings.ts';
import { repairGitConfig } from '../repair-git-config.ts';
import { shortPath } from '../short-path.ts';
import { addressFor } from '../target-repository.ts';
import { schemeInstead } from '../why-git-skipped-vouch.ts';

/** Git's configuration, from all its files, makes Git ask Vouch for this URL, and store nothing. */
export const gitConfig: Check = {
  id: 'git-config',
  title: 'Git config',
  needs: () => ['git'],
  // For codecommit:// our remote helper gives Git these settings with each transfer.
  applies: ({ target }) => target?.scheme !== 'codecommit',
  run: async (visit) => {
    const { target, facts } = visit;
    const config = await credentialSettings(visit);
    const ephemeral = facts.gitVersion !== undefined && takesEphemeral(facts.gitVersion);
    const found = obstaclesFor(target?.https ?? exampleUrl, config, { ephemeral });
    return {
      says: summary(config, visit),
      details: settingLines(config, visit),
      findings: [...passwordInUrl(visit), ...found.map((one) => findingFor(one, visit)), ...(await userName(visit))],
      data: {
        helpers: config.helpers.map(({ value, section, origin }) => ({
          value: shown(value),
          section: section ?? null,
          ...origin,
        })),
        useHttpPath: config.useHttpPath?.value ?? false,
      },
    };
  },
};

const reasons = {
  'no-helper': 'So Git asks you for a user name and a password, and there are none.',
  'another-first': 'Git uses the answer of that helper: an old password from a store, or keys that are not yours.',
  'another-stores': "Vouch's helper gives nothing, so that nothing is stored.",
  'no-path': "CodeCommit's password is a signature of the path.",
} as const;

function findingFor({ kind, what, fix, origin }: Obstacle, visit: Visit): Finding {
  if (origin?.scope === 'command') {
    return {
      id: `git-config.${kind}`,
      severity: 'trouble',
      what,
      why: [
        reasons[kind],
        "It is on Git's command line (git -c, GIT_CONFIG_COUNT): GitHub Desktop and JetBrains' IDEs do that.",
      ],
      steps: [fix, schemeInstead(visit.target)],
    };
  }
  const scope = scopeOf(origin);
  const url = visit.target && uncoveredUrl(new URL(visit.target.https).host);
  return {
    id: `git-config.${kind}`,
    severity: 'trouble',
    what,
    why: [reasons[kind]],
    steps: [fix],
    repair: scope && repairGitConfig(visit, { scope, url, absolute: visit.facts.absoluteHelper }),
  };
}

/** The file in which setup can override a setting that stands there; undefined if no file would help. */
function scopeOf(origin: Obstacle['origin']): Scope | undefined {
  if (origin?.scope === 'command' || origin?.scope === 'worktree') return undefined;
  return origin?.scope === 'local' ? 'local' : 'global';
}

function passwordInUrl({ target, facts }: Visit): Finding[] {
  if (!target?.hasPassword) return [];
  // The user beside a password is rarely a profile, and Vouch would refuse any other name.
  const isProfile = facts.profiles?.some(({ name }) => name === target.profile) ?? false;
  const without = addressFor(target.https, isProfile ? target.profile : undefined);
  return [
    {
      id: 'git-config.password-in-url',
      severity: 'trouble',
      what: 'There is a password in the URL: Git uses the password, and asks no helper.',
      why: ['Anyone who can read the file, or the list of processes, can read the password.'],
      steps: [
        target.remote === undefined
          ? `Take it out: ${without}`
          : `Take it out: \`git remote set-url ${target.remote} ${without}\``,
      ],
    },
  ];
}

/** An older Git sends a user name in the URL without asking a helper, unless a setting names it. */
async function userName(visit: Visit): Promise<Finding[]> {
  const { target, env, cwd } = visit;
  if (target?.profile === undefined || !(await missingUserSections(env, cwd)).includes(target.profile)) return [];
  return [
    {
      id: 'git-config.user-name',
      severity: 'trouble',
      what: `Git sends the user name ${target.profile} to CodeCommit, and asks no helper for a password.`,
      why: ['This Git needs a setting for each such name; newer ones (2.46) do not.'],
      steps: [`Run \`vouch setup codecommit --user ${shellWord(target.profile)}\`.`],
      repair: repairGitConfig(visit, { user: target.profile, absolute: visit.facts.absoluteHelper }),
    },
  ];
}

function summary({ helpers }: CredentialConfig, { target }: Visit): string {
  const where = target === undefined ? ' for CodeCommit' : '';
  if (helpers.length === 0) return `asks nobody${where}`;
  return `asks ${helpers.map(({ value, vouch }) => (vouch ? 'vouch' : shown(value))).join(', then ')}${where}`;
}

function settingLines({ helpers, useHttpPath }: CredentialConfig, { env }: Visit): string[] {
  const lines = helpers.map(
    ({ value, section, origin }, index) =>
      `${index + 1}. ${shown(value)} (${section ?? 'credential'}, ${shortPath(placeOf(origin), env)})`,
  );
  if (useHttpPath) lines.push(`useHttpPath = ${useHttpPath.value} (${shortPath(placeOf(useHttpPath.origin), env)})`);
  return lines;
}
