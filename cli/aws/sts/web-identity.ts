import type { Agent } from 'node:http';
import { Problem } from '../../problem/problem.ts';
import type { AwsCredentials } from '../credentials.ts';
import { explainWebIdentity } from './explain-web-identity.ts';
import { askSts, type Element, textAt } from './query.ts';

export interface RoleRequest {
  /** The ARN of the role. */
  role: string;
  /** The region whose STS is asked. */
  region: string;
  /** The environment: AWS_ENDPOINT_URL_STS, proxies and the like. */
  env: NodeJS.ProcessEnv;
  /** The session's name in CloudTrail and in trust policies: the e-mail address, unless the profile sets another one. */
  sessionName: string;
  /** The session policy: AWS allows only what it and the role's own policies allow. */
  policy?: string | undefined;
  /** In seconds: from 900, STS's minimum, to the role's maximum. */
  duration: number;
  /** When to give up. */
  signal: AbortSignal;
}

export interface WebIdentityRequest extends RoleRequest {
  /** The ID token that is pinned to the role. */
  token: string;
  /** Carries the request; by default one for the environment's proxy and certificates. */
  agent?: Agent | undefined;
}

/**
 * Exchanges an ID token for temporary credentials of a role (STS, AssumeRoleWithWebIdentity). It obeys AWS_ENDPOINT_URL_STS,
 * proxies and AWS_CA_BUNDLE, and uses no AWS credentials of this machine.
 *
 * @throws Problem with the role that was refused, and the condition to look at, see explainWebIdentity
 */
export async function assumeRoleWithWebIdentity(request: WebIdentityRequest): Promise<AwsCredentials> {
  const parameters = {
    RoleArn: request.role,
    RoleSessionName: request.sessionName,
    WebIdentityToken: request.token,
    DurationSeconds: `${request.duration}`,
    ...(request.policy !== undefined && { Policy: request.policy }),
  };
  try {
    return credentialsIn(await askSts('AssumeRoleWithWebIdentity', parameters, request));
  } catch (error) {
    throw error instanceof Problem ? error : explainWebIdentity(error, { ...request, secrets: [request.token] });
  }
}

function credentialsIn(result: Element): AwsCredentials {
  const accessKeyId = textAt(result, 'Credentials', 'AccessKeyId');
  const secretAccessKey = textAt(result, 'Credentials', 'SecretAccessKey');
  const sessionToken = textAt(result, 'Credentials', 'SessionToken');
  const expiration = Date.parse(textAt(result, 'Credentials', 'Expiration') ?? '');
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiration)) {
    throw new Error('Its answer holds no credentials.');
  }
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
}
