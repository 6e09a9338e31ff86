import { git } from '../git/config.ts';

/** What steers the way into the network, by what reads it. */
const variables = [
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'ALL_PROXY',
  'all_proxy',
  'NO_PROXY',
  'no_proxy',
  'NODE_USE_ENV_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_OPTIONS',
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

/** The settings that are there in the environment, as `NAME=value`; a proxy's password is not shown. */
export function networkVariables(env: NodeJS.ProcessEnv): string[] {
  return variables.flatMap((name) => (env[name] ? [`${name}=${withoutPassword(env[name])}`] : []));
}

/** What of Git's configuration steers the way to a URL, as `name=value`. */
export async function gitNetworkSettings(url: string, env: NodeJS.ProcessEnv, cwd: string): Promise<string[]> {
  const { stdout } = await git(['config', '--null', '--get-urlmatch', 'http', url], env, { accepted: [0, 1], cwd });
  return stdout
    .split('\0')
    .map((entry) => entry.split('\n', 2))
    .filter(([name = '']) => /^http\.(proxy|proxyauthmethod|ssl\w+|proxyssl\w+|schannel\w+)$/.test(name))
    .map(([name = '', value = '']) => `${name}=${withoutPassword(value)}`);
}

/** A value without the user name and password of any URL in it. */
export function withoutPassword(text: string): string {
  return text.replace(/(^|\/\/|\s)[^/@\s]*:[^/@\s]*@/g, '$1…@').replace(/\/\/[^/@\s]+@/g, '//…@');
}
