import { expect, test } from 'vitest';
import { explainWebIdentity } from '../../../../cli/aws/sts/explain-web-identity.ts';
import { role } from '../../support.ts';

const context = { role, region: 'us-east-1', sessionName: 'alice@example.com', duration: 3600, env: {} };

function refusal(name: string, message: string, status = 400) {
  return Object.assign(new Error(message), {
    name,
    Code: name,
    $fault: 'client',
    $metadata: { httpStatusCode: status },
  });
}

test.each([
  [
    'AccessDenied',
    'Not authorized',
    5,
    /trust policy.*sts:TagSession.*aud and sub.*sts:RoleSessionName.*alice@example\.com.*sts:RoleAuthorizedByIdp/,
  ],
  ['InvalidIdentityToken', 'No OpenIDConnect provider found', 5, /OIDC provider.*audience/],
  ['IDPCommunicationError', 'Error communicating', 4, /public documents over HTTPS/],
  ['ExpiredTokenException', 'Token expired', 5, /clock/],
  [
    'ValidationError',
    'The requested DurationSeconds exceeds the MaxSessionDuration',
    5,
    /3600 seconds.*maximum session duration/,
  ],
  ['RegionDisabledException', 'STS is not activated', 5, /us-east-1/],
  ['Throttling', 'Rate exceeded', 4, /busy/],
  ['SomethingNew', 'who knows', 5, /SomethingNew/],
])('%s', (name, message, exitCode, words) => {
  const problem = explainWebIdentity(refusal(name, message), context);
  expect(problem.exitCode).toBe(exitCode);
  const text = problem.lines().join(' ');
  expect(text).toMatch(words);
  expect(text).toContain(message);
});

test('a refusal names the role', () => {
  expect(explainWebIdentity(refusal('AccessDenied', 'no'), context).what).toContain(role);
});

test('a network failure is not a refusal', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED', $metadata: {} });
  expect(explainWebIdentity(error, context)).toMatchObject({
    kind: 'aws-unreachable',
    exitCode: 4,
    why: expect.stringContaining('the connection was refused'),
  });
});

test('control characters in what AWS says do not reach the terminal', () => {
  const text = explainWebIdentity(refusal('AccessDenied', 'a\u001b[31mb\nc\u009bd\u202ee'), context).lines().join('');
  expect(text).not.toMatch(/[\p{Cc}\u202e]/u);
});
