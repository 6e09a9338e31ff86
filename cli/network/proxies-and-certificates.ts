import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { readTextFile } from '../files/read-file.ts';
import { oldNode } from '../problem/old-node.ts';
import { Problem } from '../problem/problem.ts';

/**
 * HTTPS_PROXY, HTTP_PROXY, NO_PROXY and AWS_CA_BUNDLE. Git and AWS CLI honour them; Node does not, by default. (Node
 * does honour NODE_EXTRA_CA_CERTS and NODE_USE_SYSTEM_CA, for everything.)
 */

/** The proxy variables, as Node's `proxyEnv` takes them. */
interface ProxyEnvironment {
  HTTP_PROXY?: string;
  HTTPS_PROXY?: string;
  NO_PROXY: string;
}

/** Never asked through a proxy, because to a proxy these names mean its own machine. */
const neverProxied = ['localhost', '127.0.0.1', '::1'];

/**
 * Makes this process's requests use the environment's proxies. Call it before the first request; a second call does no harm.
 *
 * @throws Problem `tls-unverified` when Node would accept any certificate, `ca-bundle` when the file of certificates is too long or
 *   not a file, and as proxyEnvironment
 */
export function prepareNetwork(env: NodeJS.ProcessEnv): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') throw unverified();
  if (env.NODE_EXTRA_CA_CERTS) checkExtraCertificates(env.NODE_EXTRA_CA_CERTS);
  const proxies = proxyEnvironment(env);
  if (proxies) http.setGlobalProxyFromEnv({ ...proxies });
}

/**
 * The HTTP agents for requests to AWS. They use the environment's proxies. If AWS_CA_BUNDLE is set, they trust only its authorities,
 * as AWS CLI does. The caller destroys them.
 *
 * @throws Problem `ca-bundle`, and as proxyEnvironment
 */
export function awsHttpAgents(env: NodeJS.ProcessEnv): {
  httpAgent: http.Agent;
  httpsAgent: https.Agent;
} {
  const proxyEnv = { ...proxyEnvironment(env) };
  const ca = env.AWS_CA_BUNDLE ? { ca: readCaBundle(env.AWS_CA_BUNDLE) } : {};
  return { httpAgent: new http.Agent({ proxyEnv }), httpsAgent: new https.Agent({ proxyEnv, ...ca }) };
}

/**
 * The environment's proxies. The variable in lower case wins, as with curl. A name in NO_PROXY covers its subdomains
 * too, as with curl and AWS CLI (but not with Node).
 *
 * @returns undefined when there is no proxy
 * @throws Problem `proxy` when a value is not the address of an HTTP proxy; `old-node` when this Node cannot use one
 */
export function proxyEnvironment(env: NodeJS.ProcessEnv): ProxyEnvironment | undefined {
  const names = [
    ['HTTPS_PROXY', env.https_proxy ? 'https_proxy' : 'HTTPS_PROXY'],
    ['HTTP_PROXY', env.http_proxy ? 'http_proxy' : 'HTTP_PROXY'],
  ] as const;
  const proxies = names.flatMap(([key, name]) => (env[name] ? [[key, proxyUrl(name, env[name])] as const] : []));
  if (proxies.length === 0) return undefined;
  if (http.setGlobalProxyFromEnv === undefined) throw oldNode('24.14 or newer to use a proxy');
  const direct = (env.no_proxy || env.NO_PROXY || '').split(/[\s,]+/).filter(Boolean);
  const below = direct.filter((name) => /^[^.*:][^*:]*$/.test(name) && isIP(name) === 0).map((name) => `.${name}`);
  return { ...Object.fromEntries(proxies), NO_PROXY: [...direct, ...below, ...neverProxied].join(',') };
}

/** The address of a proxy. Without a scheme it means an HTTP proxy, as for curl and AWS CLI. */
function proxyUrl(name: string, value: string): string {
  const url = URL.parse(value.includes('://') ? value : `http://${value}`);
  // Node silently bypasses a proxy of another kind.
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') return url.href;
  throw new Problem({
    kind: 'proxy',
    // Without the value, which may contain a password.
    what: `${name} is not the address of a proxy that Vouch can use.`,
    why: 'It should look like http://proxy.example.com:3128.',
    fix: `Correct ${name} or unset it, run \`vouch agent stop\` if you are signed in, then try again.`,
  });
}

/** Node reads this file at the first request that needs it, whatever its length, and only warns if it cannot be read. */
function checkExtraCertificates(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || (found.isFile() && found.size <= longestBundle)) return;
  const why = found.isFile() ? `It has more than ${longestBundle} bytes.` : 'It is not a regular file.';
  throw unusableBundle('NODE_EXTRA_CA_CERTS', file, why);
}

function unverified(): Problem {
  return new Problem({
    kind: 'tls-unverified',
    what: "NODE_TLS_REJECT_UNAUTHORIZED=0 is set, but Vouch always checks a server's certificate.",
    why: 'Anyone on the network could pose as your server, or as AWS, and steal your session.',
    fix: 'Run `unset NODE_TLS_REJECT_UNAUTHORIZED`, then try again; put your own authority into NODE_EXTRA_CA_CERTS.',
  });
}

/** Longer than a file with all authorities in the world, in bytes. */
export const longestBundle = 16 * 1024 * 1024;

function readCaBundle(file: string): string[] {
  const unusable = (why: string, cause?: unknown) => unusableBundle('AWS_CA_BUNDLE', file, why, cause);
  let text: string;
  try {
    text = readTextFile(file, longestBundle);
  } catch (error) {
    throw unusable((error as Error).message, error);
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw unusable('It contains no certificate in PEM form.');
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch (error) {
      throw unusable(`Its certificate no. ${index + 1} is broken.`, error);
    }
  }
  return certificates;
}

/** @param variable the variable that names the file */
function unusableBundle(variable: string, file: string, why: string, cause?: unknown): Problem {
  return new Problem(
    {
      kind: 'ca-bundle',
      what: `The certificates in ${file} could not be used.`,
      why: `${variable} names this file. ${why}`,
      fix: `Correct ${variable} or unset it, run \`vouch agent stop\`, then \`vouch login\`.`,
    },
    { cause },
  );
}
