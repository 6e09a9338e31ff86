import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGitRequest } from '../../../cli/git/request.ts';

const parse = (text: string) => parseGitRequest(Buffer.from(text));

describe("Git's credential request", () => {
  test('is read', () => {
    const expected = {
      protocol: 'https',
      host: 'h:1',
      path: 'a=b/ü',
      username: 'u',
      authtype: true,
      profile: 'prod',
      awsProfile: 'a b=ü',
      awsConfig: '/a/b',
    };
    const text =
      'vouch-profile=prod\nvouch-aws-profile=a b=ü\nvouch-aws-config=/a/b\ncapability[]=authtype\ncapability[]=state\nprotocol=https\nhost=h:1\npath=a=b/ü\nusername=u\nwwwauth[]=Basic realm=x';
    expect(parse(text)).toEqual(expected);
    expect(parse(`${text}\n`)).toEqual(expected);
    expect(parse(`${text}\n\n`)).toEqual(expected);
    expect(parse('protocol=https\nhost=h')).toEqual({
      protocol: 'https',
      host: 'h',
      path: undefined,
      username: undefined,
      authtype: false,
      profile: undefined,
      awsProfile: undefined,
      awsConfig: undefined,
    });
    expect(parse('protocol=https\nhost=h\ncapability[]=state\nauthtype=Basic\n')?.authtype).toBe(false);
  });

  test.each([
    ['a carriage return', 'protocol=https\nhost=h\r\npath=p\n'],
    ['a carriage return in another value', 'protocol=https\nhost=h\nother=\rx\n'],
    ['a NUL', 'protocol=https\nhost=h\0.evil\npath=p\n'],
    ['a line of 70,000 bytes', `protocol=https\nhost=h\npath=${'a'.repeat(70_000)}\n`],
    ['a line of 65,536 bytes', `protocol=https\nhost=h\nother=${'a'.repeat(65_530)}\n`],
    ['more than 1 MiB', `protocol=https\nhost=h\n${'other=aaaaaaaaaaaaaaaaaaaaaaaa\n'.repeat(40_000)}`],
    ['a line without =', 'protocol=https\nhost=h\nnonsense\n'],
    ['a line without a key', 'protocol=https\nhost=h\n=x\n'],
    ['a host twice', 'protocol=https\nhost=h\nhost=evil\n'],
    ['our --profile twice', 'vouch-profile=a\nprotocol=https\nhost=h\nvouch-profile=a\n'],
    ['AWS_PROFILE twice', 'vouch-aws-profile=a\nprotocol=https\nhost=h\nvouch-aws-profile=b\n'],
    ['a config file twice', 'vouch-aws-config=/a\nprotocol=https\nhost=h\nvouch-aws-config=/b\n'],
    ['a relative config file', 'vouch-aws-config=a\nprotocol=https\nhost=h\n'],
    ['an empty config file', 'vouch-aws-config=\nprotocol=https\nhost=h\n'],
    ['a config file with too long a path', `vouch-aws-config=/${'a'.repeat(4095)}\nprotocol=https\nhost=h\n`],
    ['something after the blank line', 'protocol=https\nhost=h\n\nhost=evil\n'],
    ['no protocol', 'host=h\npath=p\n'],
    ['no host', 'protocol=https\npath=p\n'],
    ['an empty host', 'protocol=https\nhost=\npath=p\n'],
    ['nothing', ''],
  ])('is refused with %s', (_, text) => {
    expect(parse(text)).toBeUndefined();
  });

  test('is taken with a line of 65,535 bytes', () => {
    expect(parse(`protocol=https\nhost=h\nother=${'a'.repeat(65_529)}\n`)).toBeDefined();
  });

  test('is refused when it is not UTF-8', () => {
    expect(
      parseGitRequest(Buffer.concat([Buffer.from('protocol=https\nhost=h\npath='), Buffer.of(0xff, 10)])),
    ).toBeUndefined();
  });

  test('never makes the reader throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseGitRequest(bytes)));
  });
});
