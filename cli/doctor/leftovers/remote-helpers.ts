import { realpathSync } from 'node:fs';
import { findOnPath } from '../../files/on-path.ts';
import { packageOf } from '../../files/package-of.ts';
import type { Finding, Visit } from '../check.ts';
import { shortPath } from '../short-path.ts';

const program = 'git-remote-codecommit';

/** AWS's git-remote-codecommit behind Vouch's on the PATH. One before it is found by another check. */
export function oldRemoteHelpers({ env }: Visit): Finding[] {
  const [first, ...others] = findOnPath(program, env);
  if (first === undefined || !isOurs(first)) return [];
  return others
    .filter((file) => !isOurs(file))
    .map((file) => ({
      id: 'leftovers.remote-helper',
      severity: 'warning',
      what: `AWS's ${program} is still there: ${shortPath(file, env)}`,
      steps: [`\`${removal(file)}\``],
    }));
}

function isOurs(file: string): boolean {
  return packageOf(file)?.name === 'vouch';
}

/** The command of whatever has installed it. */
function removal(file: string): string {
  const target = realpathSync(file);
  if (target.includes('/pipx/')) return `pipx uninstall ${program}`;
  if (target.includes('/uv/tools/')) return `uv tool uninstall ${program}`;
  if (target.includes('/Cellar/')) return `brew uninstall ${program}`;
  return `pip uninstall ${program}`;
}
