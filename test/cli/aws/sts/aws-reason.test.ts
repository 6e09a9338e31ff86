import { expect, test } from 'vitest';
import { awsReason } from '../../../../cli/aws/sts/aws-reason.ts';

const user = 'User: arn:aws:sts::123456789012:assumed-role/Developer/alice@example.com';
const notAllowed = (action: string, role: string) =>
  `${user} is not authorized to perform: ${action} on resource: arn:aws:iam::123456789012:role/${role}`;

test.each([
  [
    'InvalidIdentityToken',
    'No OpenIDConnect provider found in your account for https://x',
    { reason: 'provider-unknown' },
  ],
  ['InvalidIdentityToken', 'Incorrect token audience', { reason: 'audience' }],
  ['InvalidIdentityTokenException', "Couldn't retrieve verification key", { reason: 'issuer-unreachable' }],
  ['InvalidIdentityToken', 'Token issued in the future', { reason: 'token-times' }],
  ['InvalidIdentityToken', 'words of another year', { reason: 'other' }],
  ['IDPCommunicationError', '', { reason: 'issuer-unreachable' }],
  ['ExpiredTokenException', '', { reason: 'token-times' }],
  ['ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration', { reason: 'duration' }],
  ['ValidationError', '1 validation error detected', { reason: 'other' }],
  ['AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', { reason: 'trust' }],
  ['AccessDenied', 'Not authorized to perform sts:TagSession', { reason: 'trust-action', action: 'sts:TagSession' }],
  ['AccessDenied', 'words of another year', { reason: 'other' }],
  ['SomethingNew', 'The audience expired', { reason: 'other' }],
])('%s: %s', (code, message, expected) => {
  expect(awsReason(code, message)).toEqual(expected);
});

test.each(['audience-team', 'expired', 'duration', 'No-OpenIDConnect-provider'])(
  'a role named %s does not pass for a reason',
  (role) => {
    expect(awsReason('AccessDenied', notAllowed('sts:AssumeRole', role))).toEqual({ reason: 'trust' });
    const tags = { reason: 'trust-action', action: 'sts:TagSession' };
    expect(awsReason('AccessDeniedException', notAllowed('sts:TagSession', role))).toEqual(tags);
  },
);
