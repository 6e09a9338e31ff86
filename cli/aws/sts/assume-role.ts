import { AssumeRoleCommand, type Credentials } from '@aws-sdk/client-sts';
import { untilAborted } from '../../network/until-aborted.ts';
import { Problem } from '../../problem/problem.ts';
import type { AwsCredentials } from '../credentials.ts';
import { stsClient } from './client.ts';
import { explainAssumeRole } from './explain-assume-role.ts';
import type { RoleRequest } from './web-identity.ts';

export interface ChainedRoleRequest extends RoleRequest {
  /** The role through which this one is assumed. */
  source: { role: string; credentials: AwsCredentials };
  externalId?: string | undefined;
}

/**
 * Assumes a role with the credentials of another one (STS, AssumeRole). The tags and the source identity of the chain's first
 * session are passed on by STS.
 *
 * @throws Problem that says which role of the chain was refused, and to which identity, see explainAssumeRole; as stsClient
 */
export async function assumeRole(request: ChainedRoleRequest): Promise<AwsCredentials> {
  const { region, env } = request;
  const { credentials } = request.source;
  // The agent tries again itself, see agent/session/retry.ts.
  const client = stsClient({ region, env, credentials, maxAttempts: 1 });
  try {
    const command = new AssumeRoleCommand({
      RoleArn: request.role,
      RoleSessionName: request.sessionName,
      DurationSeconds: request.duration,
      ExternalId: request.externalId,
      Policy: request.policy,
    });
    const sent = client.send(command, { abortSignal: request.signal });
    return found((await untilAborted(sent, request.signal)).Credentials);
  } catch (error) {
    if (error instanceof Problem) throw error;
    const secrets = [credentials.secretAccessKey, credentials.sessionToken];
    throw explainAssumeRole(error, { ...request, source: request.source.role, secrets });
  } finally {
    client.destroy();
  }
}

function found({ AccessKeyId, SecretAccessKey, SessionToken, Expiration }: Partial<Credentials> = {}): AwsCredentials {
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration?.getTime()) {
    throw new Error('Its answer holds no credentials.');
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration.getTime(),
  };
}
