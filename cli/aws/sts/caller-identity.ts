import { untilAborted } from '../../network/until-aborted.ts';
import type { AwsCredentials } from '../credentials.ts';

/** The identity that AWS sees, and AWS's clock. */
export interface CallerIdentity {
  account: string;
  arn: string;
  /** STS's clock, from its Date header; undefined when the header is missing. */
  date: string | undefined;
}

/**
 * Asks STS whose credentials these are (GetCallerIdentity, which no policy can forbid).
 *
 * @throws Problem as stsClient; the SDK's errors
 */
export async function callerIdentity(
  credentials: Omit<AwsCredentials, 'expiration'>,
  { region, env, signal }: { region: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<CallerIdentity> {
  // Loaded here: the SDK is large, and most runs do not need it.
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const { stsClient } = await import('./client.ts');
  const client = stsClient({ region, env, credentials, maxAttempts: 2, requestTimeout: 5000 });
  let date: string | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      date = (result.response as { headers?: Record<string, string> }).headers?.date;
      return result;
    },
    { step: 'deserialize' },
  );
  try {
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(8000)]);
    const sent = client.send(new GetCallerIdentityCommand({}), { abortSignal });
    const { Account, Arn } = await untilAborted(sent, abortSignal);
    return { account: Account ?? '', arn: Arn ?? '', date };
  } finally {
    client.destroy();
  }
}
