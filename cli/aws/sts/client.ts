import { STSClient } from '@aws-sdk/client-sts';
import { awsHttpAgents } from '../../network/proxies-and-certificates.ts';
import { readAtMost } from '../../network/read-at-most.ts';
import type { AwsCredentials } from '../credentials.ts';
import { stsUrl } from './endpoint.ts';
import { longestAnswer } from './query.ts';

export interface StsClientOptions {
  /** The region whose STS is asked. */
  region: string;
  /** The environment: AWS_ENDPOINT_URL_STS, proxies and the like. */
  env: NodeJS.ProcessEnv;
  credentials: Omit<AwsCredentials, 'expiration'>;
  maxAttempts: number;
  /** How long the SDK waits for an answer, in milliseconds; by default the caller sets the limit. */
  requestTimeout?: number;
}

/**
 * AWS's SDK, for requests that must be signed. Its address comes from stsUrl, as for all requests to STS. All settings are given
 * here, so that the SDK reads none itself. An `endpoint_url` in the config once sent a token over plain HTTP, and with
 * `defaults_mode = auto` the SDK asks an address in the network which machine this is.
 *
 * @throws Problem as stsUrl and awsHttpAgents
 */
export function stsClient({ region, env, credentials, maxAttempts, requestTimeout }: StsClientOptions): STSClient {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const client = new STSClient({
    endpoint: stsUrl(region, env).href,
    region,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    maxAttempts,
    requestHandler: {
      connectionTimeout: 3000,
      ...(requestTimeout !== undefined && { requestTimeout, throwOnRequestTimeout: true }),
      ...awsHttpAgents(env),
    },
    // stsUrl has taken these into account.
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    defaultsMode: 'standard',
    retryMode: 'standard',
    authSchemePreference: ['sigv4'],
    sigv4aSigningRegionSet: [],
    userAgentAppId: '',
    disableClockSkewCorrection: false,
  });
  boundAnswers(client);
  return client;
}

/** Limits the answers that a client of AWS's SDK reads. By default the SDK reads any answer to the end. */
function boundAnswers(client: STSClient): void {
  // With low priority this runs before the SDK parses the answer.
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: AsyncIterable<Uint8Array> };
      const body = await readAtMost(longestAnswer, response.body ?? []);
      if (body === undefined) throw new Error('Its answer is too long.');
      Object.assign(response, { body });
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
}
