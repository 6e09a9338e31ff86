import { spawnSync } from 'node:child_process';
import { codeCommitHost, codeCommitUrl } from '../../aws/codecommit/hosts.ts';
import { partitions } from '../../aws/partitions.ts';
import type { Finding, Visit } from '../check.ts';
import { endStaticCredentials } from './commands.ts';

/**
 * User names and passwords in macOS's keychain, where `osxkeychain` and Git Credential Manager put them, for the hosts of the repository
 * in question and of the profiles' regions. security(1) prints no password unless it is asked for one, and we read nothing of it.
 */
export function inKeychain({ env, target, facts }: Visit, platform = process.platform): Finding[] {
  if (platform !== 'darwin') return [];
  const regions = (facts.profiles ?? []).flatMap(({ region }) => region ?? []);
  const ofProfiles = [...regions, partitions[0]?.defaultRegion ?? ''].map(
    (region) => URL.parse(codeCommitUrl(region, 'x') ?? '')?.host,
  );
  const hosts = [target?.host.host, ...ofProfiles].filter(
    (host) => host !== undefined && codeCommitHost(host) !== undefined,
  );
  return [...new Set(hosts as string[])].flatMap((host) => [
    ...finding(host, 'find-internet-password', host, 'git credential-osxkeychain erase', env),
    ...finding(host, 'find-generic-password', `git:https://${host}`, 'git credential-manager erase', env),
  ]);
}

function finding(host: string, command: string, service: string, erase: string, env: NodeJS.ProcessEnv): Finding[] {
  const { status } = spawnSync('security', [command, '-s', service], { env, stdio: 'ignore', timeout: 5000 });
  if (status !== 0) return [];
  return [
    {
      id: 'leftovers.stored-password',
      severity: 'warning',
      what: `The keychain holds a user name and password for ${host}`,
      steps: [`\`printf 'protocol=https\\nhost=${host}\\n\\n' | ${erase}\``, endStaticCredentials],
    },
  ];
}
