import { networkReason } from '../network-reason.ts';
import type { Finding, Visit } from './check.ts';
import { exampleUrl } from './git-credentials.ts';
import { gitNetworkSettings, networkVariables } from './network-settings.ts';
import { threeWays } from './ways.ts';

/**
 * What to know when somebody cannot be reached: why, which of the three ways is closed, and what steers them here.
 *
 * @param check whose finding it is
 * @param error what was thrown, or why in words
 */
export async function networkTrouble(
  check: 'server' | 'sts' | 'pull' | 'push',
  error: unknown,
  visit: Visit,
): Promise<Finding> {
  const reason = typeof error === 'string' ? error : networkReason(error);
  const ways = await threeWays(visit);
  const { env, cwd, target } = visit;
  const variables = networkVariables(env);
  const settings = await gitNetworkSettings(target?.https ?? exampleUrl, env, cwd).catch(() => []);
  const kind = kindOf(reason);
  const who = { server: 'The Vouch server', sts: 'AWS STS', pull: 'CodeCommit', push: 'CodeCommit' }[check];
  return {
    id: `${check}.${kind}`,
    severity: 'trouble',
    what: `${who} cannot be reached.`,
    why: [
      reason,
      ...ways.map(({ name, closed }) => `${name}: ${closed === undefined ? 'can be reached' : `closed. ${closed}`}`),
      `In the environment: ${variables.length > 0 ? variables.join(', ') : 'no proxy and no CA is named'}`,
      `In Git's configuration: ${settings.length > 0 ? settings.join(', ') : 'neither http.proxy nor http.sslCAInfo'}`,
    ],
    fix: fixOf(kind, check),
  };
}

type Kind = 'tls' | 'proxy' | 'unreachable';

function kindOf(reason: string): Kind {
  if (/proxy|CONNECT/i.test(reason)) return 'proxy';
  if (/TLS|SSL|certificate|CAfile/i.test(reason)) return 'tls';
  return 'unreachable';
}

function fixOf(kind: Kind, check: 'server' | 'sts' | 'pull' | 'push'): string[] {
  const git = check === 'pull' || check === 'push';
  if (kind === 'tls') {
    return git
      ? ['If your company inspects TLS, name its CA: `git config --global http.sslCAInfo /path/to/ca.pem`']
      : [
          "If your company inspects TLS, name its CA in your shell's profile: `export NODE_EXTRA_CA_CERTS=/path/to/ca.pem`",
          'The agent keeps the environment that it was started in: `vouch agent stop`, then `vouch login`.',
        ];
  }
  if (kind === 'proxy') {
    return git
      ? ['Check http.proxy and HTTPS_PROXY, and whether the proxy asks for a password.']
      : ['Check HTTPS_PROXY and NO_PROXY, and whether the proxy asks for a password.'];
  }
  return ['Check your network, your VPN and your proxy, then try again.'];
}
