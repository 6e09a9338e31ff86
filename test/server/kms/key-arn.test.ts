import { expect, test } from 'vitest';
import { readKmsArn } from '../../../server/kms/key-arn.ts';

const ID = '0a1b2c3d-0123-4567-89ab-0123456789ab';

test.each([
  ['eu-central-1', `arn:aws:kms:eu-central-1:123456789012:key/${ID}`, false],
  ['us-gov-west-1', `arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/${ID}`, false],
  ['cn-north-1', `arn:aws-cn:kms:cn-north-1:123456789012:key/${ID}`, false],
  ['eusc-de-east-1', `arn:aws-eusc:kms:eusc-de-east-1:123456789012:key/${ID}`, false],
  ['us-isob-east-1', `arn:aws-iso-b:kms:us-isob-east-1:123456789012:key/${ID}`, false],
  ['ap-southeast-7', `arn:aws:kms:ap-southeast-7:123456789012:key/mrk-${ID.replaceAll('-', '')}`, false],
  ['eu-west-1', 'arn:aws:kms:eu-west-1:123456789012:alias/vouch/signing_key-1', true],
])('a key in %s is read', (region, arn, alias) => {
  expect(readKmsArn(arn)).toEqual({ arn, region, alias });
});

test.each([
  ID,
  'alias/vouch',
  `key/${ID}`,
  `arn:aws:kms:eu-central-1:123456789012:${ID}`,
  `arn:aws:kms:eu-central-1:12345678901:key/${ID}`,
  `arn:aws:kms::123456789012:key/${ID}`,
  `arn:aws:kms:eu-central-1:123456789012:key/${ID}0`,
  `arn:aws:kms:eu-central-1:123456789012:key/${ID.toUpperCase()}`,
  `arn:aws:kms:eu-central-1.evil.example:123456789012:key/${ID}`,
  `arn:aws:kms:evil.example/-1:123456789012:key/${ID}`,
  `arn:aws:s3:eu-central-1:123456789012:key/${ID}`,
  `arn:evil:kms:eu-central-1:123456789012:key/${ID}`,
  `arn:aws:kms:eu-central-1:123456789012:key/${ID}\n`,
  `arn:aws:kms:eu-central-1:123456789012:alias/${'x'.repeat(251)}`,
  'arn:aws:kms:eu-central-1:123456789012:alias/',
  'arn:aws:kms:eu-central-1:123456789012:alias/a b',
  '',
])('%j is not the full ARN of a key', (text) => {
  expect(readKmsArn(text)).toBeUndefined();
});
