/** How long an ID token for AWS is valid, in seconds. AWS takes it for 5 minutes more, so this is enough time to deliver it. */
export const TOKEN_SECONDS = 60;

/** For how long AWS accepts a token after its `exp`, in seconds (IAM user guide, "Create an OpenID Connect identity provider in IAM"). */
const GRACE_SECONDS = 300;

/** For how long after its issue AWS may still give credentials for a token, in milliseconds. */
export const REDEEMABLE_MS = (TOKEN_SECONDS + GRACE_SECONDS) * 1000;

/** The longest that a role can give credentials for, in seconds (IAM API reference, CreateRole, MaxSessionDuration). */
export const LONGEST_SECONDS = 43_200;

/**
 * A role's maximum session duration, in seconds: the server's limit, but an hour at least, because IAM takes no less (IAM API
 * reference, CreateRole, MaxSessionDuration). So anybody who has a token can ask for an hour even if agents may not.
 *
 * @param awsSessionSeconds the server's limit, at most LONGEST_SECONDS
 */
export function roleMaximum(awsSessionSeconds: number): number {
  return Math.max(3600, awsSessionSeconds);
}
