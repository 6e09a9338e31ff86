import { type Partition, partitions } from './partitions.ts';

/** A role's ARN, taken apart. */
export interface RoleArn {
  arn: string;
  partition: Partition;
  account: string;
  /** With its path, if there is one: `team/Developer`. */
  name: string;
}

/**
 * Reads the ARN of an IAM role: `arn:<partition>:iam::<12 digits>:role/<path and name>` (IAM: a name has at most 64 of
 * `[\w+=,.@-]`, and 512 characters with the path). IAM allows quotes and shell characters in a path. We do not, because the ARN
 * goes into a command line in AWS's config file.
 *
 * @returns undefined when it is anything else
 */
export function parseRoleArn(arn: string): RoleArn | undefined {
  const match =
    /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):iam::(\d{12}):role\/((?:[A-Za-z0-9_+=,.@-]+\/)*[A-Za-z0-9_+=,.@-]{1,64})$/.exec(
      arn,
    );
  if (match === null || arn.length > 2048) return undefined;
  const [, id, account = '', name = ''] = match;
  const partition = partitions.find((known) => known.id === id);
  return partition && name.length <= 576 ? { arn, partition, account, name } : undefined;
}
