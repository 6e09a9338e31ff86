import { git } from '../git/git.ts';
import { proxyEnvironment } from '../network/proxies-and-certificates.ts';

/** The variables with which any of the programs reaches the network: proxies, certificates, endpoints. */
const variables = [
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'ALL_PROXY',
  'all_proxy',
  'NO_PROXY',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_SYSTEM_CA',
  'NODE_OPTIONS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'AWS_CA_BUNDLE',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_STS',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'GIT_SSL_NO_VERIFY',
  'GIT_PROXY_SSL_CAINFO',
  'CURL_CA_BUNDLE',
] as const;

/** The variables above that are set, without a proxy's user name and password. */
export function networkVariables(env: NodeJS.ProcessEnv): [name: string, value: string][] {
  return variables.flatMap((name) => (env[name] ? [[name, withoutUser(env[name])]] : []));
}

/** Git's proxy and certificate settings for a URL. */
export async function gitNetworkSettings(
  url: string,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<[name: string, value: string][]> {
  const { stdout } = await git(['config', '--null', '--get-urlmatch', 'http', url], env, { accepted: [0, 1], cwd });
  return stdout.split('\0').flatMap((entry) => {
    const [name = '', value = ''] = entry.split('\n', 2);
    if (!/^http\.(proxy|proxyauthmethod|ssl\w+|proxyssl\w+|schannel\w+)$/.test(name)) return [];
    return [[name, withoutUser(value)]];
  });
}

/** An address without anything before its host. There curl allows blanks, and a token alone. */
function withoutUser(value: string): string {
  return value.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, (_, scheme = '') => `${scheme}…@`);
}

/** A text without the user name and password of any address in it. */
export function withoutPassword(text: string): string {
  return text.replace(/\/\/\S*@/g, '//…@').replace(/(^|[\s,;])[^\s:@/]+:(?!\/\/)\S*@/g, '$1…@');
}

/** Whether our own programs reach an address through a proxy (network/proxies-and-certificates.ts). */
export function goesThroughProxy(address: string, env: NodeJS.ProcessEnv): boolean {
  const proxies = proxyEnvironment(env);
  const url = URL.parse(address);
  if (proxies === undefined || url === null) return false;
  const proxy = url.protocol === 'https:' ? proxies.HTTPS_PROXY : proxies.HTTP_PROXY;
  const direct = proxies.NO_PROXY.split(',').some(
    (name) => name === '*' || name === url.hostname || (name.startsWith('.') && url.hostname.endsWith(name)),
  );
  return proxy !== undefined && !direct;
}
