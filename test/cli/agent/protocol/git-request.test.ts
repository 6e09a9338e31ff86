import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { longestRequest, parseGitRequest, withContext } from '../../../../cli/agent/protocol/git-request.ts';

const parse = (text: string) => parseGitRequest(Buffer.from(text));

describe("Git's credential request", () => {
  test('is read', () => {
    const expected = {
      protocol: 'https',
      host: 'h:1',
      path: 'a=b/ü',
      username: 'u',
      authtype: true,
      bothForms: false,
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
      bothForms: false,
      profile: undefined,
      awsProfile: undefined,
      awsConfig: undefined,
    });
    expect(parse('protocol=https\nhost=h\ncapability[]=state\nauthtype=Basic\n')?.authtype).toBe(false);
    expect(parse('protocol=https\nhost=h\nstate[]=authtype\nx=authtype\n')?.authtype).toBe(false);
    expect(parse('vouch-forms=both\nprotocol=https\nhost=h\n')?.bothForms).toBe(true);
    expect(parse('vouch-forms=other\nprotocol=https\nhost=h\n')?.bothForms).toBe(false);
  });

  test.each([
    ['a carriage return', 'protocol=https\nhost=h\r\npath=p\n'],
    ['a carriage return in another value', 'protocol=https\nhost=h\nother=\rx\n'],
    ['a byte order mark', '\uFEFFprotocol=https\nhost=h\n'],
    ['a NUL', 'protocol=https\nhost=h\0.evil\npath=p\n'],
    ['a line of 70,000 bytes', `protocol=https\nhost=h\npath=${'a'.repeat(70_000)}\n`],
    ['a line of 65,536 bytes', `protocol=https\nhost=h\nother=${'a'.repeat(65_530)}\n`],
    ['more than 256 KiB', `protocol=https\nhost=h\n${'other=aaaaaaaaaaaaaaaaaaaaaaaa\n'.repeat(10_000)}`],
    ['a line without =', 'protocol=https\nhost=h\nnonsense\n'],
    ['a line without a key', 'protocol=https\nhost=h\n=x\n'],
    ['a host twice', 'protocol=https\nhost=h\nhost=evil\n'],
    ['our --profile twice', 'vouch-profile=a\nprotocol=https\nhost=h\nvouch-profile=a\n'],
    ['AWS_PROFILE twice', 'vouch-aws-profile=a\nprotocol=https\nhost=h\nvouch-aws-profile=b\n'],
    ['a config file twice', 'vouch-aws-config=/a\nprotocol=https\nhost=h\nvouch-aws-config=/b\n'],
    ['the wish for both forms twice', 'vouch-forms=both\nprotocol=https\nhost=h\nvouch-forms=both\n'],
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

  test('is taken with a config file whose path has 4,095 bytes', () => {
    const file = `/${'é'.repeat(2047)}`;
    expect(parse(`vouch-aws-config=${file}\nprotocol=https\nhost=h\n`)?.awsConfig).toBe(file);
    expect(parse(`vouch-aws-config=${file}x\nprotocol=https\nhost=h\n`)).toBeUndefined();
  });

  test('is taken with 256 KiB, and not with a byte more', () => {
    expect(longestRequest).toBe(262_144);
    const head = `protocol=https\nhost=h\n${`other=${'a'.repeat(60_000)}\n`.repeat(4)}`;
    const padded = (length: number) => `${head}other=${'a'.repeat(length - head.length - 'other='.length - 1)}\n`;
    expect(padded(262_144)).toHaveLength(262_144);
    expect(parse(padded(262_144))).toBeDefined();
    expect(parse(padded(262_145))).toBeUndefined();
  });

  test('is refused when it is not UTF-8', () => {
    expect(
      parseGitRequest(Buffer.concat([Buffer.from('protocol=https\nhost=h\npath='), Buffer.of(0xff, 10)])),
    ).toBeUndefined();
  });

  const pieces = fc.array(
    fc.constantFrom(
      ...[
        'protocol',
        'host',
        'path',
        'username',
        'capability[]',
        'vouch-profile',
        'vouch-aws-profile',
        'vouch-aws-config',
      ],
      ...['=', '=', '=', '\n', '\n', '\n', 'https', 'authtype', '/a', 'x', '\r', '\0', ' ', 'é'],
    ),
    { maxLength: 40 },
  );
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    pieces.map((all) => Buffer.from(all.join(''))),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  );

  test('never makes the reader throw, and each value is that of a line', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const found = parseGitRequest(bytes);
        if (found === undefined) return;
        const text = `\n${Buffer.from(bytes).toString('utf8')}\n`;
        expect(text).toContain(`\nprotocol=${found.protocol}\n`);
        expect(text).toContain(`\nhost=${found.host}\n`);
        for (const value of [found.path, found.username, found.profile, found.awsProfile, found.awsConfig]) {
          if (value !== undefined) expect(text).toContain(`=${value}\n`);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('gets what the agent cannot know, in lines before Git’s', () => {
    const env = { HOME: '/home/alice', AWS_PROFILE: 'test', AWS_CONFIG_FILE: '~/aws' };
    const told = Buffer.from(withContext(Buffer.from('host=h\n'), { profile: 'prod' }, env)).toString();
    expect(told).toBe(
      'vouch-protocol=1\nvouch-profile=prod\nvouch-aws-profile=test\nvouch-aws-config=/home/alice/aws\nhost=h\n',
    );
    expect(parse(`${told}protocol=https\n`)).toMatchObject({
      vouchProtocol: '1',
      profile: 'prod',
      awsProfile: 'test',
      awsConfig: '/home/alice/aws',
    });
  });

  test('says what its context says, and nothing that the context says can be taken for Git', () => {
    const value = fc.option(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 30 }),
        fc.constantFrom('a\nhost=evil', '/a\nusername=b', '/etc/x', '\r'),
      ),
      { nil: undefined },
    );
    const request = Buffer.from('protocol=https\nhost=h\nusername=u\n');
    fc.assert(
      fc.property(value, value, value, (profile, AWS_PROFILE, AWS_CONFIG_FILE) => {
        // No argument or variable can hold a NUL, which makes the request malformed, or half of a character.
        const texts = [profile, AWS_PROFILE, AWS_CONFIG_FILE].filter((text) => text !== undefined);
        fc.pre(texts.every((text) => text.isWellFormed() && !text.includes('\0')));
        const env = { HOME: '/home/alice', AWS_PROFILE, AWS_CONFIG_FILE };
        const found = parseGitRequest(withContext(request, { profile }, env));
        const sent = (text: string | undefined) => (text && !/[\r\n]/.test(text) ? text : undefined);
        expect(found).toMatchObject({
          protocol: 'https',
          host: 'h',
          username: 'u',
          profile: sent(profile),
          awsProfile: sent(AWS_PROFILE),
        });
        expect(found?.awsConfig ?? '/').toMatch(/^\//);
      }),
      { numRuns: 1000 },
    );
  });
});
