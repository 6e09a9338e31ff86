import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { readPemFile } from '../certificates/pem-file.ts';
import { settingRefused } from '../problem/setting-refused.ts';

type Environment = Record<string, string | undefined>;

/**
 * The connections to AWS: through the proxies that the environment names (HTTPS_PROXY, NO_PROXY), and, if AWS_CA_BUNDLE is set, only to
 * servers with a certificate of its authorities, as for AWS CLI. The SDK does neither by itself.
 *
 * @param most how many connections are open at once
 * @throws Problem `setting-refused` when AWS_CA_BUNDLE cannot be used
 */
export function awsHttpAgents(env: Environment, most: number): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
  const options = { keepAlive: true, maxSockets: most, proxyEnv: env };
  const bundle = env.AWS_CA_BUNDLE;
  const ca = bundle ? { ca: readBundle(bundle) } : {};
  return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent({ ...options, ...ca }) };
}

function readBundle(file: string): string[] {
  try {
    return readPemFile(file).map(({ node }) => node.toString());
  } catch (error) {
    throw settingRefused('AWS_CA_BUNDLE', file, `a file of certificates in PEM form (${(error as Error).message})`);
  }
}
