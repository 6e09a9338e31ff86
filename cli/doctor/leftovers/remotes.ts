import { shellWord } from '../../aws/config/command-line.ts';
import { git } from '../../git/git.ts';
import type { Finding, Visit } from '../check.ts';
import { withoutPassword } from '../network-settings.ts';
import { addressFor, readTarget, type Target } from '../target-repository.ts';
import { holdsPassword } from './commands.ts';

/** Addresses over SSH, and with passwords, in the repository here and in Git's other files. The one in question has a check of its own. */
export async function oldRemotes(visit: Visit): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { key, value } of await settings(visit, '^remote\\..*\\.(url|pushurl)$')) {
    const target = await readTarget(value, visit.env).catch(() => undefined);
    const [, name = '', kind] = /^remote\.(.*)\.(url|pushurl)$/s.exec(key) ?? [];
    const isInQuestion = kind === 'url' && visit.target?.remote === name;
    if (target === undefined || isInQuestion) continue;
    if (target.instead?.scheme === 'ssh' && !(await goesOverSsh(name, kind === 'pushurl', visit))) continue;
    findings.push(...findingFor(target, name, kind === 'pushurl'));
  }
  return [...findings, ...(await rewritten(visit))];
}

/** Whether Git opens one of the remote's addresses over SSH, after `url.<base>.insteadOf` (git-remote(1), `get-url`). */
async function goesOverSsh(name: string, isPush: boolean, { env, cwd }: Visit): Promise<boolean> {
  const args = ['remote', 'get-url', '--all', ...(isPush ? ['--push'] : []), '--', name];
  const { stdout } = await git(args, env, { accepted: [0, 2, 128], cwd });
  const targets = await Promise.all(stdout.split('\n').map((url) => readTarget(url, env).catch(() => undefined)));
  return targets.some((target) => target?.instead?.scheme === 'ssh');
}

function findingFor(target: Target, name: string, isPush: boolean): Finding[] {
  const set = `git remote set-url ${isPush ? '--push ' : ''}${shellWord(name)}`;
  const where = `The remote ${name}${isPush ? ' (where it pushes)' : ''}`;
  if (target.instead?.scheme === 'ssh') {
    return [
      {
        id: 'leftovers.ssh-remote',
        severity: 'warning',
        what: `${where} goes to CodeCommit over SSH: ${target.instead.address}`,
        steps: [`\`${set} ${addressFor(target.https, target.profile)}\``],
      },
    ];
  }
  if (!target.hasPassword) return [];
  return [
    {
      id: 'leftovers.password-in-remote',
      severity: 'warning',
      what: `${where} has a password in its address, which Git uses instead of asking Vouch.`,
      steps: [`\`${set} ${target.https}\``],
    },
  ];
}

/** `url.<base>.insteadOf` that sends https:// addresses over SSH (git-config(1)). */
async function rewritten(visit: Visit): Promise<Finding[]> {
  const findings = new Map<string, Finding>();
  for (const { key, file } of await settings(visit, '^url\\..*\\.(insteadof|pushinsteadof)$')) {
    const section = key.slice(0, key.lastIndexOf('.'));
    if (
      file === undefined ||
      !/^url\.(?:(?:git\+)?ssh(?:\+git)?:\/\/)?(?:[^@/]*@)?git-codecommit[^/]*(?:[:/]|$)/i.test(section)
    )
      continue;
    findings.set(`${file} ${section}`, {
      id: 'leftovers.ssh-instead-of',
      severity: 'warning',
      what: `Git turns other addresses into ones over SSH: ${withoutPassword(section)} in ${file}`,
      steps: [
        holdsPassword(section)
          ? `\`git config --file ${shellWord(file)} --edit\`, and remove that section`
          : `\`git config --file ${shellWord(file)} --remove-section ${shellWord(section)}\``,
      ],
    });
  }
  return [...findings.values()];
}

interface Setting {
  key: string;
  value: string;
  file: string | undefined;
}

async function settings({ env, cwd }: Visit, names: string): Promise<Setting[]> {
  const { stdout } = await git(['config', '--null', '--show-origin', '--get-regexp', names], env, {
    accepted: [0, 1],
    cwd,
  });
  const fields = stdout.split('\0');
  const found: Setting[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [origin = '', setting = ''] = fields.slice(at, at + 2);
    const newline = setting.indexOf('\n');
    if (newline === -1) continue;
    const file = origin.startsWith('file:') ? origin.slice('file:'.length) : undefined;
    found.push({ key: setting.slice(0, newline), value: setting.slice(newline + 1), file });
  }
  return found;
}
