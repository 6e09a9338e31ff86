import { networkFix, networkReason } from '../network/reason.ts';
import { Problem } from '../problem.ts';
import type { Finding, Visit } from './check.ts';
import { exampleUrl } from './git-credentials.ts';
import { gitNetworkSettings, goesThroughProxy, networkVariables } from './network-settings.ts';
import { stsUrlOf, threeWays } from './ways.ts';

type Who = 'server' | 'sts' | 'pull' | 'push';
type Kind = 'tls' | 'proxy' | 'unreachable';

/** How each is called here and among the three ways. */
const names = {
  server: ['The Vouch server', 'Vouch server'],
  sts: ['AWS STS', 'AWS STS'],
  pull: ['CodeCommit', 'CodeCommit, by Git'],
  push: ['CodeCommit', 'CodeCommit, by Git'],
} as const;

/**
 * What to know when somebody cannot be reached: why, which of the three ways is closed, and what steers them here.
 *
 * @param who whose check it is
 * @param error what was thrown, or why in words; a Problem knows what to do by itself
 */
export async function networkTrouble(who: Who, error: unknown, visit: Visit): Promise<Finding> {
  const { reason, fix } = read(error, who, visit.env);
  const { env, cwd, target } = visit;
  const variables = networkVariables(env);
  const settings = await gitNetworkSettings(target?.https ?? exampleUrl, env, cwd).catch(() => []);
  const [name, way] = names[who];
  const others = (await threeWays(visit)).filter((one) => one.name !== way);
  const kind = kindOf(reason, who, visit, [...variables, ...settings]);
  const list = (found: [string, string][]) => found.map(([key, value]) => `${key}=${value}`).join(', ');
  return {
    id: `${who}.${kind}`,
    severity: 'trouble',
    what: `${name} cannot be reached.`,
    why: [
      reason,
      ...others.map(
        (one) => `${one.name} ${one.closed ? `cannot be reached either: ${one.closed}` : 'can be reached.'}`,
      ),
      `In the environment: ${list(variables) || 'no proxy and no CA is named'}`,
      `In Git's configuration: ${list(settings) || 'neither http.proxy nor http.sslCAInfo'}`,
    ],
    fix: kind === 'tls' && fix !== undefined ? [fix] : fixOf(kind, who, env, settings),
  };
}

function read(error: unknown, who: Who, env: NodeJS.ProcessEnv): { reason: string; fix?: string | undefined } {
  if (typeof error === 'string') return { reason: error };
  if (error instanceof Problem) return { reason: error.why || error.what, fix: error.fix };
  const trust = who === 'sts' && env.AWS_CA_BUNDLE ? 'AWS_CA_BUNDLE' : 'NODE_EXTRA_CA_CERTS';
  return { reason: networkReason(error), fix: networkFix(error, trust) };
}

function kindOf(reason: string, who: Who, visit: Visit, settings: readonly [name: string, value: string][]): Kind {
  if (/proxy|CONNECT tunnel/i.test(reason)) return 'proxy';
  if (/TLS|SSL|certificate|CAfile/i.test(reason)) return 'tls';
  // Through a proxy, the proxy is the only one that is connected to, and looked up.
  if (who === 'server' && visit.chart.server && goesThroughProxy(visit.chart.server, visit.env)) return 'proxy';
  if (who === 'sts' && isStsBehindProxy(visit)) return 'proxy';
  // Somebody who does not listen is the proxy when that is who was asked.
  const proxies = settings.filter(([name]) => /^(https?|all)_proxy$|^http\.proxy$/i.test(name));
  const closed = proxies.some(([, value]) => {
    const { hostname, port } = URL.parse(value.includes('://') ? value : `http://${value}`) ?? {};
    return hostname && reason.includes(hostname) && (!port || reason.includes(port));
  });
  return closed ? 'proxy' : 'unreachable';
}

function isStsBehindProxy(visit: Visit): boolean {
  try {
    return goesThroughProxy(stsUrlOf(visit).href, visit.env);
  } catch {
    // This shell's settings name no place where STS could be; the agent's do.
    return false;
  }
}

function fixOf(kind: Kind, who: Who, env: NodeJS.ProcessEnv, settings: readonly [string, string][]): string[] {
  if (who === 'pull' || who === 'push') return fixGit(kind, env, settings);
  const again =
    who === 'sts'
      ? ['The agent keeps the environment that it was started in: `vouch agent stop`, then `vouch login`.']
      : [];
  if (kind === 'tls') {
    const variable = who === 'sts' && env.AWS_CA_BUNDLE ? 'AWS_CA_BUNDLE' : 'NODE_EXTRA_CA_CERTS';
    return [`Where a company inspects TLS, Node must know its CA: \`export ${variable}=/path/to/ca.pem\``, ...again];
  }
  if (kind === 'proxy') return ['Check HTTPS_PROXY and NO_PROXY, and whether the proxy wants a password.', ...again];
  return ['Check your network, your VPN, and whether a proxy is needed (HTTPS_PROXY).', ...again];
}

function fixGit(kind: Kind, env: NodeJS.ProcessEnv, settings: readonly [string, string][]): string[] {
  if (kind === 'tls') {
    // git-config(1), http.sslCAInfo: "Can be overridden by the GIT_SSL_CAINFO environment variable."
    if (env.GIT_SSL_CAINFO) {
      const beaten = settings.some(([name]) => name === 'http.sslcainfo') ? ', which beats http.sslCAInfo' : '';
      return [`Correct GIT_SSL_CAINFO${beaten}, or \`unset GIT_SSL_CAINFO\`.`];
    }
    return ['Where a company inspects TLS, Git must know its CA: `git config --global http.sslCAInfo /path/to/ca.pem`'];
  }
  if (kind === 'proxy') return ['Check http.proxy and HTTPS_PROXY, and whether the proxy wants a password.'];
  return ['Check your network, your VPN, and whether a proxy is needed (http.proxy, HTTPS_PROXY).'];
}
