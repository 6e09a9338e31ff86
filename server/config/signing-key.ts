import { type KmsArn, readKmsPlace } from '../kms/key-arn.ts';
import { settingRefused } from '../problem/setting-refused.ts';

/**
 * The KMS key that signs; undefined when keys are in the database.
 *
 * @param value VOUCH_SIGNING_KEY
 * @throws Problem `setting-refused`
 */
export function readSigningKey(value = 'database'): KmsArn | undefined {
  if (value === 'database') return undefined;
  const arn = readKmsPlace(value);
  if (arn !== undefined) return arn;
  throw settingRefused(
    'VOUCH_SIGNING_KEY',
    value,
    'database, or awskms: and the full ARN of a KMS key or alias, such as awskms:arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-…',
  );
}
