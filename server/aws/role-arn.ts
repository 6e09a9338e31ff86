/**
 * Whether a text is an IAM role's ARN, in any partition (IAM user guide, "IAM identifiers": path and name of
 * `[\w+=,.@-]`, a name of at most 64, a path of at most 512 characters).
 */
export function isRoleArn(value: string): boolean {
  return (
    /^arn:aws(-[a-z]+)*:iam::\d{12}:role\/([\x21-\x2e\x30-\x7e]+\/){0,64}[\w+=,.@-]{1,64}$/.test(value) &&
    value.length <= 640
  );
}
