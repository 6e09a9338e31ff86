import { STSClient } from '@aws-sdk/client-sts';
import { awsHttpAgents } from '../../network/proxies-and-certificates.ts';
import { readAtMost } from '../../network/read-at-most.ts';
import type { AwsCredentials } from '../credentials.ts';
import { stsUrl } from './endpoint.ts';
import { longestAnswer } from './query.ts';

export interface StsClientOptions {
  /** Whose STS is asked. */
  region: string;
  /** Names AWS_ENDPOINT_URL_STS, proxies and the like. */
  env: NodeJS.ProcessEnv;
  credentials: Omit<AwsCredentials, 'expiration'>;
  maxAttempts: number;
  /** How long the SDK waits for an answer, in milliseconds; without it the caller gives up by itself. */
  requestTimeout?: number;
}

/**
 * AWS's SDK, for requests that must be signed. Like everything else that asks STS it goes where stsUrl says. All its settings are
 * given here, so that it reads none from AWS's config files and the environment: an `endpoint_url` there made it send a session
 * token over plain HTTP, and with `defaults_mode = auto` it asks an address in the network which machine this is.
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

/** Bounds what a client of AWS's SDK reads. By itself it would read any answer to its end. */
function boundAnswers(client: STSClient): void {
  // With low priority it comes before the SDK parses the answer.
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
