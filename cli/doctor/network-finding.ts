import { caVariable, networkFailure, networkFix, networkReason } from '../network/reason.ts';
import type { NetworkFailure } from '../problem/details.ts';
import { Problem } from '../problem/problem.ts';
import type { Finding, Visit } from './check.ts';
import { exampleUrl } from './credential-settings.ts';
import { gitNetworkSettings, goesThroughProxy, networkVariables } from './network-settings.ts';
import { reachDestinations, stsUrlOf } from './reachable.ts';

type Who = 'server' | 'sts' | 'pull' | 'push';

/** Why a server was not reached, in words and as data. */
export interface Unreached {
  why: string;
  network: NetworkFailure;
  /** What to do, if the reason shows it. */
  fix?: string | undefined;
}

/** Each server's name, for a person and among the destinations. */
const names = {
  server: ['The Vouch server', 'Vouch server'],
  sts: ['AWS STS', 'AWS STS'],
  pull: ['CodeCommit', 'CodeCommit, by Git'],
  push: ['CodeCommit', 'CodeCommit, by Git'],
} as const;

/**
 * The finding about a server that cannot be reached: why, which other destinations can be reached, and the settings for that.
 *
 * @param who which check asks
 */
export async function networkFinding(who: Who, { why, network, fix }: Unreached, visit: Visit): Promise<Finding> {
  const { env, cwd, target } = visit;
  const variables = networkVariables(env);
  const settings = await gitNetworkSettings(target?.https ?? exampleUrl, env, cwd).catch(() => []);
  const [name, destination] = names[who];
  const others = (await reachDestinations(visit)).filter((one) => one.name !== destination);
  const kind = isProxy({ why, network }, who, visit, [...variables, ...settings]) ? 'proxy' : network;
  const list = (found: [string, string][]) => found.map(([key, value]) => `${key}=${value}`).join(', ');
  return {
    id: `${who}.${kind}`,
    severity: 'trouble',
    what: `${name} cannot be reached.`,
    why: [
      why,
      ...others.map(
        (one) => `${one.name} ${one.unreached ? `cannot be reached either: ${one.unreached}` : 'can be reached.'}`,
      ),
      `In the environment: ${list(variables) || 'no proxy and no CA is named'}`,
      `In Git's configuration: ${list(settings) || 'neither http.proxy nor http.sslCAInfo'}`,
    ],
    steps: kind === 'tls' && fix !== undefined ? [fix] : stepsFor(kind, who, env, settings),
  };
}

/**
 * Why a request failed.
 *
 * @param error what was thrown; a Problem contains its own fix
 * @param trust the variable that names further authorities for the program that sent the request
 */
export function unreached(error: unknown, trust?: string): Unreached {
  if (error instanceof Problem) {
    return { why: error.why || error.what, network: error.network ?? 'unreachable', fix: error.fix };
  }
  return { why: networkReason(error), network: networkFailure(error), fix: networkFix(error, trust) };
}

/** Whether the proxy is the cause: it cannot be reached, or does not let us through. */
function isProxy(
  { why, network }: Unreached,
  who: Who,
  visit: Visit,
  settings: readonly [name: string, value: string][],
): boolean {
  if (network !== 'unreachable') return network === 'proxy';
  // With a proxy, only the proxy's name is looked up, and only the proxy is connected to.
  if (who === 'server') return visit.facts.server !== undefined && goesThroughProxy(visit.facts.server, visit.env);
  if (who === 'sts') return isStsBehindProxy(visit);
  // Git names the host that it could not reach.
  const proxies = settings.filter(([name]) => /^(https?|all)_proxy$|^http\.proxy$/i.test(name));
  return proxies.some(([, value]) => {
    const { hostname, port } = URL.parse(value.includes('://') ? value : `http://${value}`) ?? {};
    return hostname !== undefined && hostname !== '' && why.includes(hostname) && (!port || why.includes(port));
  });
}

function isStsBehindProxy(visit: Visit): boolean {
  try {
    return goesThroughProxy(stsUrlOf(visit).href, visit.env);
  } catch {
    // This shell's settings name no address for STS; the agent's do.
    return false;
  }
}

function stepsFor(
  kind: NetworkFailure,
  who: Who,
  env: NodeJS.ProcessEnv,
  settings: readonly [string, string][],
): string[] {
  if (who === 'pull' || who === 'push') return stepsForGit(kind, env, settings);
  const again =
    who === 'sts'
      ? ['The agent keeps the environment that it was started in: `vouch agent stop`, then `vouch login`.']
      : [];
  if (kind === 'tls') {
    const variable = who === 'sts' ? caVariable(env) : 'NODE_EXTRA_CA_CERTS';
    return [`Where a company inspects TLS, Node must know its CA: \`export ${variable}=/path/to/ca.pem\``, ...again];
  }
  if (kind === 'proxy') return ['Check HTTPS_PROXY and NO_PROXY, and whether the proxy wants a password.', ...again];
  return ['Check your network, your VPN, and whether a proxy is needed (HTTPS_PROXY).', ...again];
}

function stepsForGit(kind: NetworkFailure, env: NodeJS.ProcessEnv, settings: readonly [string, string][]): string[] {
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
