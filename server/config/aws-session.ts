import { settingRefused } from '../problem/setting-refused.ts';

/**
 * How long the AWS credentials that people ask STS for may last, in seconds.
 *
 * @param value VOUCH_AWS_SESSION_MINUTES
 * @throws Problem `setting-refused`
 */
export function readAwsSession(value = '60'): number {
  const minutes = Number(value);
  // STS gives no credentials for less than 15 minutes, and IAM lets no role give them for more than 12 hours (STS API reference,
  // AssumeRoleWithWebIdentity, DurationSeconds).
  if (!/^\d{1,3}$/.test(value) || minutes < 15 || minutes > 720) {
    throw settingRefused('VOUCH_AWS_SESSION_MINUTES', value, 'a whole number of minutes from 15 to 720');
  }
  return minutes * 60;
}
