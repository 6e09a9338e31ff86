import type { Finding, Visit } from '../check.ts';
import { shortPath } from '../short-path.ts';
import { type SshHost, sshHosts } from '../ssh-hosts.ts';
import { endSshKey, removeLines } from './commands.ts';

/** SSH's settings for CodeCommit, a finding for each file: they name keys on the disk, and their IDs at IAM. */
export function oldSshKeys({ env }: Visit): Finding[] {
  return [...Map.groupBy(sshHosts(env), ({ file }) => file)].map(([file, hosts]) => {
    const keys = new Set(hosts.map(({ identityFile }) => identityFile).filter((key) => key !== undefined));
    const names = hosts.map(({ patterns, from }) => `Host ${patterns.join(' ')} (line ${from})`).join(', ');
    return {
      id: 'leftovers.ssh-config',
      severity: 'warning',
      what: `${shortPath(file, env)} still has keys for CodeCommit: ${names}`,
      why: [...keys].map((key) => `The private key is ${key}: remove it, if nothing else needs it.`),
      steps: [...howToRemove(file, hosts), ...new Set(hosts.map(({ user }) => endSshKey(user)))],
    };
  });
}

function howToRemove(file: string, hosts: readonly SshHost[]): string[] {
  const alone = hosts.filter(({ isShared }) => !isShared);
  const shared = hosts.filter(({ isShared }) => isShared).map(({ patterns }) => `Host ${patterns.join(' ')}`);
  // By hand last: that moves the lines.
  return [
    ...(alone.length > 0 ? [removeLines(file, alone)] : []),
    ...(shared.length > 0 ? [`In an editor, keep what is not for CodeCommit: ${shared.join(', ')}`] : []),
  ];
}
