import { describe, expect, test } from 'vitest';
import { readAwsTrust, readConfig, readInstallation } from '../../../server/config/config.ts';
import { HTTPS } from '../settings.ts';

const withIssuer = (value: string) => ({ ...HTTPS, VOUCH_AWS_ISSUER: value });

test('the server’s own issuer is AWS’s issuer, and the audience, unless a setting names another', () => {
  expect(readConfig(HTTPS)).toMatchObject({ awsIssuer: HTTPS.VOUCH_ISSUER, awsAudience: HTTPS.VOUCH_ISSUER });
  const other = { VOUCH_AWS_AUDIENCE: 'sts.amazonaws.com', ...withIssuer('https://id.example.com') };
  expect(readConfig(other)).toMatchObject({ awsIssuer: 'https://id.example.com', awsAudience: 'sts.amazonaws.com' });
});

test.each([
  ['https://id.example.com', 'https://id.example.com'],
  ['https://ID.example.com/', 'https://id.example.com'],
  ['https://example.github.io/Vouch', 'https://example.github.io/Vouch'],
  ['https://s3.example.com/a-bucket/v1.0/vouch_aws', 'https://s3.example.com/a-bucket/v1.0/vouch_aws'],
  ['https://localhost:4430/vouch', 'https://localhost:4430/vouch'],
  ['http://localhost:3000', 'http://localhost:3000'],
  [`https://id.example.com/${'a'.repeat(232)}`, `https://id.example.com/${'a'.repeat(232)}`],
])('%s is taken, and only its host is put into lower case', (value, awsIssuer) => {
  const settings = withIssuer(value);
  for (const read of [readConfig, readInstallation, readAwsTrust]) expect(read(settings)).toMatchObject({ awsIssuer });
  expect(readAwsTrust(settings)).toMatchObject({ issuer: HTTPS.VOUCH_ISSUER, awsAudience: awsIssuer });
});

describe('a URL that AWS does not take, or that means something in a policy, is refused', () => {
  const wrong: [string, string, RegExp?][] = [
    ['nothing', ''],
    ['no URL', 'id.example.com'],
    ['http', 'http://id.example.com'],
    ['http at an address of this machine', 'http://127.0.0.1:3000'],
    ['another scheme', 'ftp://id.example.com'],
    ['a port', 'https://id.example.com:8443', /without a port: AWS takes none/],
    ['a query', 'https://id.example.com/?a'],
    ['an empty query', 'https://id.example.com/a?'],
    ['a fragment', 'https://id.example.com/a#b'],
    ['a user', 'https://a:b@id.example.com'],
    ['an IP address', 'https://10.0.0.1'],
    ['one label', 'https://vouch'],
    ['a dot behind the host', 'https://id.example.com.'],
    ['a slash at the end of a path', 'https://id.example.com/a/', /without a slash at the end/],
    ['two slashes', 'https://id.example.com/a//b', /single slashes/],
    ['only slashes', 'https://id.example.com//', /without a slash at the end/],
    ['a dot as a name', 'https://id.example.com/./a', /single slashes/],
    ['two dots as a name', 'https://id.example.com/a/../b', /single slashes/],
    ['encoded dots', 'https://id.example.com/%2e%2e/b', /single slashes/],
    ['an encoded character', 'https://id.example.com/%7Bx', /single slashes/],
    ['a star', 'https://id.example.com/*', /single slashes/],
    ['a policy variable', `https://id.example.com/\${aws:username}`, /single slashes/],
    ['a colon', 'https://id.example.com/a:b', /single slashes/],
    ['a quote', "https://id.example.com/a'b", /single slashes/],
    ['a line break', 'https://id.example.com/a\nb'],
    ['a backslash', 'https:\\\\id.example.com\\a'],
    ['a letter beyond ASCII', 'https://id.example.com/ä', /single slashes/],
    ['256 characters', `https://id.example.com/${'a'.repeat(233)}`],
  ];
  test.each(wrong)('%s', (_name, value, message = /such as https:\/\/id\.example\.com or https/) => {
    expect(() => readConfig(withIssuer(value))).toThrow(message);
    expect(() => readConfig(withIssuer(value))).toThrow(/^VOUCH_AWS_ISSUER is /);
  });
});
