import { expect, test } from 'vitest';
import { readConfig } from '../../../server/config/config.ts';
import { HTTPS } from '../settings.ts';

const ARN = 'arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0123-4567-89ab-0123456789ab';
const read = (value?: string) =>
  readConfig({ ...HTTPS, ...(value === undefined ? {} : { VOUCH_SIGNING_KEY: value }) }).signingKey;

test('keys are in the database, unless VOUCH_SIGNING_KEY names one in KMS', () => {
  expect(read()).toBeUndefined();
  expect(read('database')).toBeUndefined();
  expect(read(`awskms:${ARN}`)).toEqual({ arn: ARN, region: 'eu-central-1', alias: false });
  const alias = ARN.replace(/key.*/, 'alias/vouch');
  expect(read(`awskms:${alias}`)).toEqual({ arn: alias, region: 'eu-central-1', alias: true });
});

test.each([
  '',
  ARN,
  'awskms:',
  'awskms:alias/vouch',
  'awskms:0a1b2c3d-0123-4567-89ab-0123456789ab',
  `gcpkms:${ARN}`,
  'Database',
])('VOUCH_SIGNING_KEY=%s is refused, with what it should look like', (value) => {
  expect(() => read(value)).toThrow(/^VOUCH_SIGNING_KEY is .*database, or awskms: and the full ARN/);
});
