import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsCredentials } from './codecommit-signature.ts';
import { explainSts } from './explain-sts.ts';

export interface AssumeRoleRequest {
  /** The ARN of the role. */
  role: string;
  /** The region whose STS is asked. */
  region: string;
  /** The ID token that is pinned to the role. */
  token: string;
  /** The session's name in CloudTrail and in trust policies: the e-mail address. */
  sessionName: string;
  /** Seconds, from STS's 900 up to the role's maximum. */
  duration: number;
  signal: AbortSignal;
}

/**
 * Exchanges an ID token for temporary credentials of a role (STS, AssumeRoleWithWebIdentity). Honours
 * AWS_ENDPOINT_URL_STS and what else the SDK reads for itself; needs and uses no AWS credentials that may lie about.
 *
 * @throws Problem that says which role was refused and which condition to look at, see explainSts
 */
export async function assumeRole(request: AssumeRoleRequest): Promise<AwsCredentials> {
  const client = new STSClient({
    region: request.region,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3000, requestTimeout: 5000, throwOnRequestTimeout: true },
    // The call is not signed. Should the SDK ever ask, then for nothing that it finds in the environment.
    credentials: async () => {
      throw new Error('AssumeRoleWithWebIdentity needs no credentials');
    },
  });
  try {
    const { Credentials: found } = await client.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: request.role,
        RoleSessionName: request.sessionName,
        WebIdentityToken: request.token,
        DurationSeconds: request.duration,
      }),
      { abortSignal: request.signal },
    );
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = found ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration)
      throw new Error('STS answered no credentials');
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration.getTime(),
    };
  } catch (error) {
    throw explainSts(error, request);
  } finally {
    client.destroy();
  }
}
