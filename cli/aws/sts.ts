import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, type Credentials, STSClient } from '@aws-sdk/client-sts';
import { awsHttpAgents } from '../network-environment.ts';
import type { AwsCredentials } from './codecommit-signature.ts';
import { explainAssumeRole, explainSts } from './explain-sts.ts';

interface RoleRequest {
  /** The ARN of the role. */
  role: string;
  /** The region whose STS is asked. */
  region: string;
  /** The session's name in CloudTrail and in trust policies: the e-mail address unless the profile has another. */
  sessionName: string;
  /** Seconds, from STS's 900 up to the role's maximum. */
  duration: number;
  signal: AbortSignal;
}

export interface WebIdentityRequest extends RoleRequest {
  /** The ID token that is pinned to the role. */
  token: string;
}

export interface ChainedRoleRequest extends RoleRequest {
  /** The role that this one is assumed through. */
  source: { role: string; credentials: AwsCredentials };
  externalId?: string | undefined;
}

/**
 * Exchanges an ID token for temporary credentials of a role (STS, AssumeRoleWithWebIdentity). Honours
 * AWS_ENDPOINT_URL_STS, proxies and AWS_CA_BUNDLE; needs and uses no AWS credentials that may lie about.
 *
 * @throws Problem that says which role was refused and which condition to look at, see explainSts
 */
export async function assumeRoleWithWebIdentity(request: WebIdentityRequest): Promise<AwsCredentials> {
  // The call is not signed. Should the SDK ever ask, then for nothing that it finds in the environment.
  const client = stsClient(request.region, async () => {
    throw new Error('AssumeRoleWithWebIdentity needs no credentials');
  });
  try {
    const command = new AssumeRoleWithWebIdentityCommand({
      RoleArn: request.role,
      RoleSessionName: request.sessionName,
      WebIdentityToken: request.token,
      DurationSeconds: request.duration,
    });
    return found((await client.send(command, { abortSignal: request.signal })).Credentials);
  } catch (error) {
    throw explainSts(error, request);
  } finally {
    client.destroy();
  }
}

/**
 * Assumes a role with the credentials of another one (STS, AssumeRole). Tags and source identity that the first session of
 * the chain was given come along by themselves.
 *
 * @throws Problem that says which role of the chain was refused and to whom, see explainAssumeRole
 */
export async function assumeRole(request: ChainedRoleRequest): Promise<AwsCredentials> {
  const { accessKeyId, secretAccessKey, sessionToken } = request.source.credentials;
  const client = stsClient(request.region, async () => ({ accessKeyId, secretAccessKey, sessionToken }));
  try {
    const command = new AssumeRoleCommand({
      RoleArn: request.role,
      RoleSessionName: request.sessionName,
      DurationSeconds: request.duration,
      ExternalId: request.externalId,
    });
    return found((await client.send(command, { abortSignal: request.signal })).Credentials);
  } catch (error) {
    throw explainAssumeRole(error, { ...request, source: request.source.role });
  } finally {
    client.destroy();
  }
}

function stsClient(region: string, credentials: () => Promise<Credential>): STSClient {
  return new STSClient({
    region,
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 3000,
      requestTimeout: 5000,
      throwOnRequestTimeout: true,
      ...awsHttpAgents(process.env),
    },
    credentials,
  });
}

type Credential = Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>;

function found({ AccessKeyId, SecretAccessKey, SessionToken, Expiration }: Partial<Credentials> = {}): AwsCredentials {
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) throw new Error('STS answered no credentials');
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration.getTime(),
  };
}
