import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { gitSignature } from './git-signature.ts';
import { basicDate, parseBasicDate, signature } from './sigv4.ts';

/** The example key of AWS's documentation. */
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

describe('known answers', () => {
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, the example of 2015.
  it("signs as AWS's documented example does", () => {
    const stringToSign = [
      'AWS4-HMAC-SHA256',
      '20150830T123600Z',
      '20150830/us-east-1/iam/aws4_request',
      'f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59',
    ].join('\n');
    expect(
      signature({
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
        date: '20150830',
        region: 'us-east-1',
        service: 'iam',
        stringToSign,
      }),
    ).toBe('5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7');
  });

  // Computed by AWS CLI 1.45, `aws codecommit credential-helper get`, with its clock at that second.
  it.each([
    [
      'git-codecommit.us-east-1.amazonaws.com',
      'us-east-1',
      '/v1/repos/demo',
      '121a73e449bfec6295f00dc6f86dcf12105b208cec699695339c8c898ce1d07e',
    ],
    [
      'git-codecommit-fips.eu-west-3.amazonaws.com',
      'eu-west-3',
      '/v1/repos/My.repo_2-x',
      '651f2a2e476aa759052fb4bafe6b5b7b2410b3742959c2fec6ea0589de01ee9c',
    ],
    [
      'git-codecommit.us-gov-west-1.amazonaws.com',
      'us-gov-west-1',
      '/v1/repos/demo',
      'c52e76fedf23e54bbfc2e97c72e24211c1233fddd1775bea563ff98a6b923570',
    ],
  ])('signs for %s as AWS CLI does', (host, region, path, expected) => {
    expect(gitSignature({ secretAccessKey, date: '20261122T030405', region, host, path })).toBe(expected);
  });
});

it('signs any path with the encoding of SigV4, applied once', () => {
  const sign = (path: string) =>
    gitSignature({ secretAccessKey, date: '20261122T030405', region: 'us-east-1', host: 'h', path });
  const scope = '20261122/us-east-1/codecommit/aws4_request';
  const signed = (canonicalPath: string) => {
    const hash = createHash('sha256').update(`GIT\n${canonicalPath}\n\nhost:h\n\nhost\n`).digest('hex');
    const stringToSign = `AWS4-HMAC-SHA256\n20261122T030405\n${scope}\n${hash}`;
    return signature({ secretAccessKey, date: '20261122', region: 'us-east-1', service: 'codecommit', stringToSign });
  };
  // Unreserved characters stay as they are (RFC 3986, section 2.3), and so does the slash.
  expect(sign('/v1/repos/aZ09-._~')).toBe(signed('/v1/repos/aZ09-._~'));
  expect(sign("/a b+c*'()!")).toBe(signed('/a%20b%2Bc%2A%27%28%29%21'));
  expect(sign('/%41:@&=?#')).toBe(signed('/%2541%3A%40%26%3D%3F%23'));
  expect(sign('/é€\u{1f511}\n')).toBe(signed('/%C3%A9%E2%82%AC%F0%9F%94%91%0A'));
});

it('reads dates in the basic format, and nothing else', () => {
  expect(parseBasicDate('20261122T030405Z')).toEqual(new Date('2026-11-22T03:04:05Z'));
  expect(basicDate(new Date('2026-11-22T03:04:05.678Z'))).toBe('20261122T030405Z');
  for (const text of [
    '',
    '20261122T030405',
    '20260231T000000Z',
    '20261122T240000Z',
    '2026-11-22T03:04:05Z',
    ' 20261122T030405Z',
  ]) {
    expect(parseBasicDate(text)).toBeUndefined();
  }
});
