import { STSClient } from '@aws-sdk/client-sts';
import { awsHttpAgents } from '../../network/environment.ts';
import { readAtMost } from '../../network/read-at-most.ts';
import type { AwsCredentials } from '../credentials.ts';
import { stsUrl } from './endpoint.ts';
import { longestAnswer } from './query.ts';

export interface StsClientOptions {
  /** Whose STS is asked. */
  region: string;
  /** Where AWS_ENDPOINT_URL_STS, proxies and the like are read. */
  env: NodeJS.ProcessEnv;
  credentials: Omit<AwsCredentials, 'expiration'>;
  maxAttempts: number;
  /** How long the SDK waits for an answer, in milliseconds; unless it is given, the caller sees to that. */
  requestTimeout?: number;
}

/**
 * AWS's SDK for what must be signed, with one way out: to where stsUrl says, as everything else that asks STS. All that it would
 * look for in AWS's config files and in the environment is said here, so that it reads none: an `endpoint_url` there had it
 * send a session token over plain HTTP, and `defaults_mode = auto` has it ask an address of the network which machine this is.
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
    // The endpoint has been chosen with these in view.
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

/** Has a client of AWS's SDK read no more than an answer of STS is: by itself it would read whatever comes, to its end. */
function boundAnswers(client: STSClient): void {
  // Low priority: before the SDK makes anything of the answer.
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: AsyncIterable<Uint8Array> };
      const body = await readAtMost(longestAnswer, response.body ?? []);
      if (body === undefined) throw new Error('It answered with more than an answer is.');
      Object.assign(response, { body });
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
}
