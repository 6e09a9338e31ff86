import { AssumeRoleCommand, type Credentials, STSClient } from '@aws-sdk/client-sts';
import { awsHttpAgents } from '../network-environment.ts';
import { Problem } from '../problem.ts';
import { untilAborted } from '../until-aborted.ts';
import { boundAnswers } from './bound-answers.ts';
import type { AwsCredentials } from './codecommit-signature.ts';
import { explainAssumeRole } from './explain-sts.ts';
import type { RoleRequest } from './sts.ts';

export interface ChainedRoleRequest extends RoleRequest {
  /** The role that this one is assumed through. */
  source: { role: string; credentials: AwsCredentials };
  externalId?: string | undefined;
}

/**
 * Assumes a role with the credentials of another one (STS, AssumeRole). Tags and source identity that the first session of
 * the chain was given come along by themselves.
 *
 * @throws Problem that says which role of the chain was refused and to whom, see explainAssumeRole
 */
export async function assumeRole(request: ChainedRoleRequest): Promise<AwsCredentials> {
  const { accessKeyId, secretAccessKey, sessionToken } = request.source.credentials;
  const client = new STSClient({
    region: request.region,
    // The agent tries again by itself, see agent/retry.ts.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 3000, ...awsHttpAgents(process.env) },
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  });
  boundAnswers(client);
  try {
    const command = new AssumeRoleCommand({
      RoleArn: request.role,
      RoleSessionName: request.sessionName,
      DurationSeconds: request.duration,
      ExternalId: request.externalId,
    });
    const sent = client.send(command, { abortSignal: request.signal });
    return found((await untilAborted(sent, request.signal)).Credentials);
  } catch (error) {
    if (error instanceof Problem) throw error;
    const secrets = [secretAccessKey, sessionToken];
    throw explainAssumeRole(error, { ...request, source: request.source.role, secrets });
  } finally {
    client.destroy();
  }
}

function found({ AccessKeyId, SecretAccessKey, SessionToken, Expiration }: Partial<Credentials> = {}): AwsCredentials {
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration?.getTime()) {
    throw new Error('It answered no credentials.');
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration.getTime(),
  };
}
