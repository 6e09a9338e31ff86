import { awsCredentials } from '../../agent/client/requests.ts';
import { isRegion } from '../../aws/partitions.ts';
import { parseRoleArn } from '../../aws/role-arn.ts';
import { Problem } from '../../problem/problem.ts';
import type { Io } from '../../terminal/io.ts';
import { jsonText } from '../../text/json-text.ts';

export interface CredentialAwsOptions {
  /** The ARN of the role. */
  role: string;
}

/**
 * `vouch credential aws`: AWS's tools run it as a profile's `credential_process`, and read JSON from its standard output
 * (AWS SDKs and Tools Reference Guide, "Process credential provider").
 */
export async function credentialAws({ role }: CredentialAwsOptions, io: Io): Promise<number> {
  const parsed = parseRoleArn(role);
  if (parsed === undefined) {
    throw new Problem({
      kind: 'usage',
      what: `This is not the ARN of a role: ${role}`,
      why: 'It looks like arn:aws:iam::123456789012:role/VouchDeveloper.',
    });
  }
  // The caller's region, if it is in the role's partition. Otherwise credentials from any region will do.
  const region = io.env.AWS_REGION ?? io.env.AWS_DEFAULT_REGION ?? '';
  const found = await awsCredentials(
    role,
    isRegion(region) && parsed.partition.region.test(region) ? region : undefined,
    io.env,
  );
  const answer = {
    Version: 1,
    AccessKeyId: found.accessKeyId,
    SecretAccessKey: found.secretAccessKey,
    SessionToken: found.sessionToken,
    Expiration: found.expiration,
  };
  io.stdout.write(`${jsonText(answer)}\n`);
  return 0;
}
