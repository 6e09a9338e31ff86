import type { Check, Finding, Visit } from '../check.ts';
import { runGit } from '../git-process.ts';
import { withoutPassword } from '../network-settings.ts';
import { addressFor, type Target, withoutDotGit } from '../target-repository.ts';

/** The address itself, if it makes Git go elsewhere than people expect. */
export const remote: Check = {
  id: 'remote',
  title: 'Address',
  needs: () => ['git'],
  applies: async (visit) => visit.target !== undefined && (await look(visit)).length > 0,
  run: async (visit) => {
    const { instead, https } = visit.target as Target;
    const says = instead === undefined ? 'to be looked at' : `over ${instead.scheme.toUpperCase()}; below is ${https}`;
    return { says, findings: await look(visit), data: { address: instead?.address ?? null } };
  },
};

async function look(visit: Visit): Promise<Finding[]> {
  return [...otherScheme(visit), ...dotGit(visit), ...(await pushedElsewhere(visit))];
}

function otherScheme({ target }: Visit): Finding[] {
  if (target?.instead === undefined) return [];
  const { address, scheme } = target.instead;
  const https = addressFor(target.https, target.profile);
  return [
    {
      id: `remote.${scheme}`,
      severity: 'trouble',
      what:
        scheme === 'ssh'
          ? 'Git goes there over SSH, and asks neither Vouch nor any other helper.'
          : 'Git goes there without TLS, where Vouch gives nothing.',
      why: [
        `The address is ${address}`,
        ...(scheme === 'ssh' ? ['It is opened with the SSH key of an IAM user, which is stored on the disk.'] : []),
        'If you wrote another one, `git config --get-regexp insteadof` shows what changes it.',
      ],
      steps: [target.remote === undefined ? `Use ${https}` : `Run \`git remote set-url ${target.remote} ${https}\`.`],
    },
  ];
}

function dotGit({ target }: Visit): Finding[] {
  if (target === undefined || withoutDotGit(target.repository) === target.repository) return [];
  const without = addressFor(withoutDotGit(target.https.replace(/\/$/, '')), target.profile);
  return [
    {
      id: 'remote.dot-git',
      severity: 'warning',
      what: 'The address ends in .git, but no repository on CodeCommit has such a name.',
      why: [`To AWS, ${target.repository} and ${withoutDotGit(target.repository)} are two repositories.`],
      steps: [
        target.remote === undefined
          ? `Take it off: ${without}`
          : `Run \`git remote set-url ${target.remote} ${without}\`.`,
      ],
    },
  ];
}

/** remote.<name>.pushurl and url.<base>.pushInsteadOf (git-config(1)). */
async function pushedElsewhere(visit: Visit): Promise<Finding[]> {
  const { remote: name, url } = visit.target as Target;
  if (name === undefined) return [];
  const ask = async (...more: string[]) => {
    const { code, stdout } = await runGit(['remote', 'get-url', ...more, '--', name], visit);
    return code === 0 ? stdout.replace(/\n$/, '') : undefined;
  };
  const [fetches, pushes] = [await ask(), await ask('--push')];
  if (pushes === undefined || pushes === fetches) return [];
  return [
    {
      id: 'remote.push-elsewhere',
      severity: 'warning',
      what: `Git pushes to another address than it pulls from: ${withoutPassword(pushes)}`,
      why: [`What follows is about ${withoutPassword(url)}`],
      steps: [`To check that one too: \`vouch doctor ${withoutPassword(pushes)}\``],
    },
  ];
}
