/** How long CodeCommit accepts a password after its signing, in milliseconds. */
const passwordLife = 15 * 60_000;

/**
 * When CodeCommit no longer accepts a password: after its own life, or with the AWS credentials that signed it.
 *
 * @param signedAt in milliseconds since 1970, as are the others
 * @param credentialsEnd when the AWS credentials end
 */
export function passwordEnd(signedAt: number, credentialsEnd: number): number {
  return Math.min(signedAt + passwordLife, credentialsEnd);
}
