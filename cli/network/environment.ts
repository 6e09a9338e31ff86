import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { readTextFile } from '../files/read-file.ts';
import { oldNode } from '../problem/old-node.ts';
import { Problem } from '../problem/problem.ts';

/**
 * HTTPS_PROXY, HTTP_PROXY, NO_PROXY and AWS_CA_BUNDLE, which Git and AWS CLI honour and Node by default does not. (Node
 * itself honours NODE_EXTRA_CA_CERTS and NODE_USE_SYSTEM_CA, for everything.)
 */

/** The proxy variables, as Node's `proxyEnv` takes them. */
interface ProxyEnvironment {
  HTTP_PROXY?: string;
  HTTPS_PROXY?: string;
  NO_PROXY: string;
}

/** What is on this machine is never asked for through a proxy, which would look for it on its own. */
const always = ['localhost', '127.0.0.1', '::1'];

/**
 * Has this process's requests honour the environment's proxies. To be called before the first one; again does no harm.
 *
 * @throws Problem `tls-unverified` when Node would take anybody's certificate, `ca-bundle` when it would read certificates without
 *   end, and as proxyEnvironment
 */
export function prepareNetwork(env: NodeJS.ProcessEnv = process.env): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') throw unverified();
  if (env.NODE_EXTRA_CA_CERTS) checkExtraCertificates(env.NODE_EXTRA_CA_CERTS);
  const proxies = proxyEnvironment(env);
  if (proxies) http.setGlobalProxyFromEnv({ ...proxies });
}

/**
 * The agents for requests to AWS: through the proxy, and to whom the AWS_CA_BUNDLE vouches for alone if it is set, as in
 * AWS CLI. They are the caller's to destroy.
 *
 * @throws Problem `ca-bundle`, and as proxyEnvironment
 */
export function awsHttpAgents(env: NodeJS.ProcessEnv = process.env): {
  httpAgent: http.Agent;
  httpsAgent: https.Agent;
} {
  const proxyEnv = { ...proxyEnvironment(env) };
  const ca = env.AWS_CA_BUNDLE ? { ca: readCaBundle(env.AWS_CA_BUNDLE) } : {};
  return { httpAgent: new http.Agent({ proxyEnv }), httpsAgent: new https.Agent({ proxyEnv, ...ca }) };
}

/**
 * The environment's proxies, the name in lower case first, as curl has it. A name in NO_PROXY stands for the names below it
 * too, as for curl and AWS CLI (for Node it would not).
 *
 * @returns undefined when there is none
 * @throws Problem `proxy` when one is not the address of an HTTP proxy, or this Node cannot use one
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
  return { ...Object.fromEntries(proxies), NO_PROXY: [...direct, ...below, ...always].join(',') };
}

/** As curl and AWS CLI do, takes `proxy.example.com:3128` for an HTTP proxy's address. */
function proxyUrl(name: string, value: string): string {
  const url = URL.parse(value.includes('://') ? value : `http://${value}`);
  // Node goes past a proxy of another kind without a word.
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') return url.href;
  throw new Problem({
    kind: 'proxy',
    // The value may hold a password.
    what: `${name} is not the address of a proxy that Vouch can use.`,
    why: 'It should look like http://proxy.example.com:3128.',
    fix: `Correct ${name} or unset it, run \`vouch agent stop\` if you are signed in, then try again.`,
  });
}

/** Node reads it when it first needs it, whatever it is; of one that it cannot read it warns. */
function checkExtraCertificates(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || (found.isFile() && found.size <= longestBundle)) return;
  const why = found.isFile() ? `It has more than ${longestBundle} bytes.` : 'It is no regular file.';
  throw unusableBundle('NODE_EXTRA_CA_CERTS', file, why);
}

function unverified(): Problem {
  return new Problem({
    kind: 'tls-unverified',
    what: 'NODE_TLS_REJECT_UNAUTHORIZED=0 is set, and Vouch speaks with nobody whose certificate is not checked.',
    why: 'Anybody on the way to your server, or to AWS, could take its place, and with it your session.',
    fix: 'Run `unset NODE_TLS_REJECT_UNAUTHORIZED`, then try again; an authority of your own goes into NODE_EXTRA_CA_CERTS.',
  });
}

/** More than all authorities that there are, in bytes. */
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
  if (certificates.length === 0) throw unusable('It holds no certificate in PEM form.');
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch (error) {
      throw unusable(`Its certificate no. ${index + 1} is broken.`, error);
    }
  }
  return certificates;
}

/** @param variable the one that names the file */
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
