import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findOnPath } from '../../files/on-path.ts';
import { ourPackage, packageOf } from '../../files/package-of.ts';
import { version } from '../../programs.ts';
import type { Check, Finding, Outcome, Visit } from '../check.ts';
import { credentialSettings } from '../credential-settings.ts';
import { repairGitConfig } from '../repair-git-config.ts';
import { shortPath } from '../short-path.ts';

const program = 'git-credential-vouch';

/** The PATH of programs not started from your shell: an editor from the desktop, cron, launchd, systemd. */
const plainPath = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(delimiter);

/** Git's helper program exists and is ours, and editors find it too. */
export const helper: Check = {
  id: 'helper',
  title: "Git's helper",
  needs: () => ['git'],
  // For codecommit:// our remote helper gives Git the program's path with each transfer.
  applies: ({ target }) => target?.scheme !== 'codecommit',
  run: async (visit) => {
    const { helpers } = await credentialSettings(visit);
    const absolute = helpers.find(({ vouch }) => vouch?.program !== undefined)?.vouch?.program;
    visit.facts.absoluteHelper = absolute !== undefined;
    return absolute === undefined ? onPath(visit) : byPath(absolute, visit);
  },
};

function onPath(visit: Visit): Outcome {
  const { env } = visit;
  const [first] = findOnPath(program, env);
  if (first === undefined) {
    visit.facts.absoluteHelper = true;
    const missing: Finding = {
      id: 'helper.not-on-path',
      severity: 'trouble',
      what: `\`${program}\` is not on your PATH, so Git does not find it.`,
      why: [`npm puts it into the same folder as \`vouch\`.`],
      steps: [
        'Add that folder to your PATH (`npm prefix --global` names its parent), or run `vouch setup codecommit --absolute`.',
      ],
      repair: repairGitConfig(visit, { absolute: true }),
    };
    return { says: 'not on your PATH', findings: [missing] };
  }
  const findings = judge(first, env);
  if (isForThisShellOnly(first)) {
    findings.push({
      id: 'helper.this-shell-only',
      severity: 'warning',
      what: 'It is only on the PATH of this shell: editors and cron may not find it.',
      steps: ['If Git does not work there: `vouch setup codecommit --absolute`'],
    });
  }
  return { says: shortPath(first, env), findings, data: { file: first } };
}

/**
 * Whether programs that are not started from this shell lack the helper, or the Node that it needs. A package may bring its own
 * (git-credential-vouch).
 */
export function isForThisShellOnly(file: string, path = plainPath): boolean {
  const lacks = (name: string) => findOnPath(name, { PATH: path }).length === 0;
  const folder = packageOf(file)?.folder;
  const ownNode = folder !== undefined && existsSync(join(folder, 'node/node'));
  return lacks(program) || (!ownNode && lacks('node'));
}

function byPath(file: string, visit: Visit): Outcome {
  const { env } = visit;
  if (!existsSync(file)) {
    const missing: Finding = {
      id: 'helper.missing',
      severity: 'trouble',
      what: `Git's configuration names ${shortPath(file, env)}, but there is no such file.`,
      why: ['Vouch or Node has moved or been updated since.'],
      steps: ['Run `vouch setup codecommit --absolute`.'],
      repair: repairGitConfig(visit, { absolute: true }),
    };
    return { says: 'missing', findings: [missing] };
  }
  return { says: `${shortPath(file, env)}, by its absolute path`, findings: judge(file, env), data: { file } };
}

/** Whether the file belongs to the same package as this program. */
function judge(file: string, env: NodeJS.ProcessEnv): Finding[] {
  const [found, ours] = [packageOf(file), ourPackage()];
  if (found?.folder === ours?.folder && found !== undefined) return [];
  const other =
    found === undefined
      ? 'in no package'
      : `in the package ${found.name} ${found.version} (${shortPath(found.folder, env)})`;
  return [
    {
      id: 'helper.another-package',
      severity: found?.name === 'vouch' ? 'warning' : 'trouble',
      what: `${shortPath(file, env)} is ${other}.`,
      why: [`This vouch is ${version}${ours ? `, in ${shortPath(ours.folder, env)}` : ''}.`],
      steps: ['Remove one of the two, or put the folder of this one first on your PATH.'],
    },
  ];
}
