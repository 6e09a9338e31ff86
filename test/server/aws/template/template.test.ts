import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkTemplate, type TemplateOptions } from '../../../../server/aws/template/check.ts';
import { cli } from '../../../../server/aws/template/cli.ts';
import { cloudFormation } from '../../../../server/aws/template/cloudformation.ts';
import { terraform } from '../../../../server/aws/template/terraform.ts';
import { cleanEnvironment } from '../../../support/clean-environment.ts';
import { run } from '../../../support/run.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { program, vouchServer } from '../../program.ts';
import { fromCli, fromCloudFormation, fromTerraform, runScript } from './readers.ts';

const HTTPS = { VOUCH_ISSUER: 'https://vouch.example.com' };
const DEMO = 'arn:aws:codecommit:us-east-1:123456789012:demo';
const REQUIRED = ['--account', '123456789012', '--domain', 'example.com', '--repository', DEMO];

const print = (format: string, settings: Record<string, string> = HTTPS, ...more: string[]) =>
  vouchServer(['aws-template', '--format', format, ...REQUIRED, ...more], settings);

const folder = temporaryFolder();

/** The documents as docs/aws.md explains them. */
const expected = {
  provider: { url: 'https://vouch.example.com', clientIds: ['https://vouch.example.com'] },
  roleName: 'VouchDeveloper',
  maxSessionDuration: 3600,
  trustPolicy: {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: 'arn:aws:iam::123456789012:oidc-provider/vouch.example.com' },
        Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'],
        Condition: {
          StringEquals: {
            'vouch.example.com:aud': 'https://vouch.example.com',
            'sts:RoleSessionName': `\${vouch.example.com:sub}`,
          },
          StringLike: { 'vouch.example.com:sub': ['*@example.com'] },
          Bool: { 'sts:RoleAuthorizedByIdp': 'true' },
        },
      },
    ],
  },
  permissionPolicy: {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['codecommit:GitPull', 'codecommit:GitPush'], Resource: [DEMO] }],
  },
};

const formats = [
  ['cloudformation', fromCloudFormation],
  ['terraform', fromTerraform],
  ['cli', (text: string) => fromCli(text, folder)],
] as const;

describe.each(formats)('%s', (format, read) => {
  test('has the provider, the role and its policies, and standard output has nothing else', async () => {
    const { code, stdout, stderr } = await print(format);
    expect([code, stderr]).toEqual([0, '']);
    expect(read(stdout)).toEqual(expected);
  });

  test('has the role alone where the provider exists', async () => {
    const { stdout } = await print(format, HTTPS, '--existing-provider');
    expect(read(stdout)).toEqual({ ...expected, provider: undefined });
    expect(stdout).not.toMatch(/client.?id|DependsOn|depends_on/i);
  });

  test('has the audience, role, partition, domains and repositories that are asked for', async () => {
    const { stdout } = await vouchServer(
      [
        ...['aws-template', '--format', format, '--account', '123456789012', '--partition', 'aws-us-gov'],
        ...['--domain', 'Example.com', '--domain', 'example.org', 'example.com', '--role', 'team=a+b,c.d@e-f_g'],
        ...['--repository', 'arn:aws-us-gov:codecommit:us-gov-west-1:123456789012:team-?'],
        ...['--repository', 'arn:aws-us-gov:codecommit:*:123456789012:*'],
      ],
      { ...HTTPS, VOUCH_AWS_AUDIENCE: 'sts.amazonaws.com' },
    );
    const { provider, roleName, trustPolicy, permissionPolicy } = read(stdout);
    expect(provider).toEqual({ url: 'https://vouch.example.com', clientIds: ['sts.amazonaws.com'] });
    expect(roleName).toBe('team=a+b,c.d@e-f_g');
    expect(trustPolicy).toMatchObject({
      Statement: [
        {
          Principal: { Federated: 'arn:aws-us-gov:iam::123456789012:oidc-provider/vouch.example.com' },
          Condition: {
            StringEquals: { 'vouch.example.com:aud': 'sts.amazonaws.com' },
            StringLike: { 'vouch.example.com:sub': ['*@example.com', '*@example.org'] },
          },
        },
      ],
    });
    expect(permissionPolicy).toMatchObject({
      Statement: [
        {
          Resource: [
            'arn:aws-us-gov:codecommit:us-gov-west-1:123456789012:team-?',
            'arn:aws-us-gov:codecommit:*:123456789012:*',
          ],
        },
      ],
    });
  });
});

test.each(formats)(
  '%s names AWS’s issuer, with its path, wherever AWS compares it, and says where people sign in',
  async (format, read) => {
    const settings = { ...HTTPS, VOUCH_AWS_ISSUER: 'https://example.github.io/Vouch-docs' };
    const { stdout, stderr } = await print(format, settings);
    expect(stderr).toBe('');
    const { provider, trustPolicy } = read(stdout);
    expect(provider).toEqual({ url: settings.VOUCH_AWS_ISSUER, clientIds: [settings.VOUCH_AWS_ISSUER] });
    expect(trustPolicy).toMatchObject({
      Statement: [
        {
          Principal: { Federated: 'arn:aws:iam::123456789012:oidc-provider/example.github.io/Vouch-docs' },
          Condition: {
            StringEquals: {
              'example.github.io/Vouch-docs:aud': settings.VOUCH_AWS_ISSUER,
              'sts:RoleSessionName': `\${example.github.io/Vouch-docs:sub}`,
            },
            StringLike: { 'example.github.io/Vouch-docs:sub': ['*@example.com'] },
          },
        },
      ],
    });
    expect(stdout).toContain('through Vouch at https://vouch.example.com');
  },
);

describe('a role gives credentials for as long as the server lets people ask, and for an hour at least, as IAM demands', () => {
  test.each(formats.flatMap(([format, read]) => ['15', '720'].map((minutes) => [format, minutes, read] as const)))(
    '%s, VOUCH_AWS_SESSION_MINUTES=%s',
    async (format, minutes, read) => {
      const { stdout } = await print(format, { ...HTTPS, VOUCH_AWS_SESSION_MINUTES: minutes });
      expect(read(stdout).maxSessionDuration).toBe(minutes === '15' ? 3600 : 43_200);
    },
  );
});

describe('cli', () => {
  test('changes nothing with the credentials of another account', async () => {
    const { stdout } = await print('cli');
    const { code, stderr, calls } = runScript(stdout, folder, '999999999999');
    expect(code).toBe(1);
    expect(stderr).toMatch(/for account 999999999999, not for 123456789012\. Nothing was changed/);
    expect(calls.map(([service, command]) => `${service} ${command}`)).toEqual(['sts get-caller-identity']);
  });

  test('stops where AWS refuses', async () => {
    const { stdout } = await print('cli');
    const { code, calls } = runScript(stdout, folder, '123456789012', 'create-role');
    expect(code).toBe(254);
    expect(calls.at(-1)).toContain('create-role');
  });

  test('gives the AWS CLI no value that it would fetch, as version 1 does with a plain https:// in a list', async () => {
    const { calls } = runScript((await print('cli')).stdout, folder);
    const create = calls.find((call) => call.includes('create-open-id-connect-provider')) ?? [];
    // --url is the one parameter that the AWS CLI itself exempts.
    expect(create.filter((arg) => /^(https?|file|fileb):/.test(arg))).toEqual(['https://vouch.example.com']);
  });
});

describe('text with a special meaning in a format arrives unchanged', () => {
  const template = (audience: string) =>
    checkTemplate({ ...trust, awsAudience: audience }, { ...wanted, domain: ['example.com'], repository: [DEMO] });
  /** IAM's way to write a dollar sign that begins no variable. */
  const escaped = (audience: string) => audience.split('${').join('$'.concat('{$}{'));
  const audiences = fc.string({
    unit: fc.constantFrom(...'ab$%{}\'"\\`!#*~\n'.replace('\n', '')),
    minLength: 1,
    maxLength: 20,
  });

  test('in CloudFormation and Terraform', () => {
    fc.assert(
      fc.property(audiences, (audience) => {
        for (const read of [
          () => fromCloudFormation(cloudFormation(template(audience))),
          () => fromTerraform(terraform(template(audience))),
        ]) {
          const { provider, trustPolicy } = read();
          expect(provider?.clientIds).toEqual([audience]);
          expect(trustPolicy).toMatchObject({
            Statement: [{ Condition: { StringEquals: { 'vouch.example.com:aud': escaped(audience) } } }],
          });
        }
      }),
    );
  });

  test('in the shell', () => {
    fc.assert(
      fc.property(audiences, (audience) => {
        const { provider, trustPolicy } = fromCli(cli(template(audience)), folder);
        expect(provider?.clientIds).toEqual([audience]);
        expect(trustPolicy).toMatchObject({
          Statement: [{ Condition: { StringEquals: { 'vouch.example.com:aud': escaped(audience) } } }],
        });
      }),
      { numRuns: 20 },
    );
  });
});

const wanted: TemplateOptions = {
  account: '123456789012',
  domain: ['example.com'],
  repository: [DEMO],
  role: 'VouchDeveloper',
  partition: 'aws',
  existingProvider: false,
};
const trust = {
  issuer: 'https://vouch.example.com',
  awsIssuer: 'https://vouch.example.com',
  awsAudience: 'https://vouch.example.com',
  awsSessionSeconds: 3600,
};

describe('an option that would admit more people than intended is refused', () => {
  const wrong: [string, Partial<TemplateOptions>, RegExp][] = [
    ['a level in lower case', { requireKeyLevel: 'l2' }, /^--require-key-level "l2" is not one of.*\n.*\n.*L1, L1plus/],
    ['a level that does not exist', { requireKeyLevel: 'L4' }, /^--require-key-level "L4" is not/],
    ['a pattern of levels', { requireKeyLevel: '*' }, /^--require-key-level "\*" is not/],
    ['an account of 11 digits', { account: '12345678901' }, /^--account "12345678901" is not/],
    ['an account of 13 digits', { account: '1234567890123' }, /^--account/],
    ['an account with hyphens', { account: '1234-5678-9012' }, /^--account/],
    ['an account with a line break', { account: '123456789012\n' }, /^--account "123456789012\\n"/],
    ['an account in Arabic digits', { account: '١٢٣٤٥٦٧٨٩٠١٢' }, /^--account "\\u0661/],
    ['no domain', { domain: [''] }, /^--domain "" is not a domain/],
    ['a whole top level', { domain: ['com'] }, /^--domain/],
    ['a star', { domain: ['*'] }, /^--domain/],
    ['a star as a label', { domain: ['*.example.com'] }, /^--domain/],
    ['a question mark', { domain: ['example.co?'] }, /^--domain/],
    ['an address', { domain: ['alice@example.com'] }, /^--domain/],
    ['an @ before the domain', { domain: ['@example.com'] }, /^--domain/],
    ['a dot at the end', { domain: ['example.com.'] }, /^--domain/],
    ['a dot at the beginning', { domain: ['.example.com'] }, /^--domain/],
    ['two dots', { domain: ['example..com'] }, /^--domain/],
    ['a hyphen at an edge', { domain: ['-example.com'] }, /^--domain/],
    ['a policy variable', { domain: [`\${aws:username}.com`] }, /^--domain/],
    ['a quote', { domain: ['example.com"'] }, /^--domain/],
    ['a space', { domain: ['example.com evil.org'] }, /^--domain/],
    ['a line break', { domain: ['example.com\n'] }, /^--domain "example.com\\n"/],
    ['a letter that becomes k in lower case', { domain: ['\u212Aiwi.com'] }, /^--domain "\\u212aiwi.com"/],
    ['a label of 64', { domain: [`${'a'.repeat(64)}.com`] }, /^--domain/],
    ['a domain of 254', { domain: [`${'a.'.repeat(126)}aa`] }, /^--domain/],
    ['a second domain that is wrong', { domain: ['example.com', '*'] }, /^--domain "\*"/],
    ['a huge domain, which is not repeated whole', { domain: ['x'.repeat(1e6)] }, /^--domain "x{100}" is/],
    ['no role name', { role: '' }, /^--role ""/],
    ['a role name of 65', { role: 'r'.repeat(65) }, /^--role/],
    ['the ARN of a role', { role: 'arn:aws:iam::123456789012:role/x' }, /^--role/],
    ['a role with a path', { role: 'team/x' }, /^--role/],
    ['a role name with a quote', { role: "x'" }, /^--role/],
    ['a role name with a line break', { role: 'x\n' }, /^--role/],
    ['a role name with an umlaut', { role: 'Rölle' }, /^--role/],
    ['an unknown partition', { partition: 'aws-iso' }, /^--partition "aws-iso" is not known/],
    ['a property of every JavaScript object as a partition', { partition: 'constructor' }, /^--partition/],
    ['no repository', { repository: [] }, /^No repository was named[\s\S]*arn:aws:codecommit:\*:123456789012:\*/],
    ['everything as a repository', { repository: ['*'] }, /^--repository "\*"/],
    ['a name as a repository', { repository: ['demo'] }, /^--repository "demo"/],
    ['a star instead of the account', { repository: ['arn:aws:codecommit:us-east-1:*:demo'] }, /^--repository/],
    ['another account', { repository: ['arn:aws:codecommit:us-east-1:999999999999:demo'] }, /is not of account/],
    ['another partition', { repository: ['arn:aws-cn:codecommit:cn-north-1:123456789012:demo'] }, /is not of account/],
    ['another service', { repository: ['arn:aws:s3:us-east-1:123456789012:demo'] }, /^--repository/],
    ['a repository with a path', { repository: [`${DEMO}/x`] }, /^--repository/],
    ['a clone URL’s end', { repository: [`${DEMO}.git`] }, /^--repository/],
    ['a repository name of 101', { repository: [DEMO.replace('demo', 'r'.repeat(101))] }, /^--repository/],
    [
      'a repository with a policy variable',
      { repository: [DEMO.replace('demo', `\${aws:username}`)] },
      /^--repository/,
    ],
    ['a repository with a line break', { repository: [`${DEMO}\n`] }, /^--repository/],
  ];
  test.each(wrong)('%s', (_name, change, message) => {
    expect(() => checkTemplate(trust, { ...wanted, ...change })).toThrow(
      expect.objectContaining({ category: 'usage', message: expect.stringMatching(message) }),
    );
  });

  test('with three lines on standard error, nothing on standard output, and status 2', async () => {
    const args = ['aws-template', '--format', 'cli', '--account', '12', '--domain', 'example.com'];
    const { code, stdout, stderr } = await vouchServer([...args, '--repository', DEMO], HTTPS);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^vouch-server: --account "12" is not .*\n {2}It has 12 digits.*\n {2}See it with: aws .*\n$/,
    );
  });

  test('whatever is given, an accepted domain has at least two labels of plain characters', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.string({ unit: fc.constantFrom(...'a.-*@?$K') })), (domain) => {
        let made: readonly string[];
        try {
          made = checkTemplate(trust, { ...wanted, domain: [domain] }).domains;
        } catch (error) {
          expect(error).toMatchObject({ category: 'usage', kind: 'option-refused' });
          return;
        }
        expect(made).toEqual([domain.toLowerCase()]);
        expect(made[0]).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/);
      }),
    );
  });
});

describe('the command', () => {
  test('needs neither master key nor database, and makes no file', async () => {
    const env = cleanEnvironment(HTTPS);
    const args = [program, 'aws-template', '--format', 'cloudformation', ...REQUIRED];
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    expect(await run(process.execPath, args, { env, cwd: empty })).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(empty)).toEqual([]);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['no issuer', {}, /^vouch-server: VOUCH_ISSUER is not set/],
    ['a wrong issuer', { VOUCH_ISSUER: 'http://vouch.example.com' }, /^vouch-server: VOUCH_ISSUER is/],
    ['a wrong duration', { ...HTTPS, VOUCH_AWS_SESSION_MINUTES: '1' }, /^vouch-server: VOUCH_AWS_SESSION_MINUTES is/],
    [
      'a wrong issuer of AWS',
      { ...HTTPS, VOUCH_AWS_ISSUER: 'https://a.example:1' },
      /^vouch-server: VOUCH_AWS_ISSUER is/,
    ],
    ['a wrong audience', { ...HTTPS, VOUCH_AWS_AUDIENCE: 'a b' }, /^vouch-server: VOUCH_AWS_AUDIENCE is/],
  ])('refuses %s as the server does', async (_name, settings, message) => {
    const { code, stdout, stderr } = await print('cloudformation', settings);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  test.each<[string, string[], string]>([
    ['an unknown format', ['--format', 'yaml', ...REQUIRED], 'Allowed choices are cloudformation, terraform, cli'],
    ['no format', REQUIRED, "required option '--format <format>' not specified"],
    ['no domain', ['--format', 'cli', '--account', '123456789012'], "required option '--domain <name...>'"],
  ])('refuses %s and says where the usage is', async (_name, args, message) => {
    const { code, stdout, stderr } = await vouchServer(['aws-template', ...args], HTTPS);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('vouch-server aws-template --help');
  });

  test('has an example in its help', async () => {
    const { code, stdout } = await vouchServer(['aws-template', '--help'], {});
    expect(code).toBe(0);
    expect(stdout).toContain('  vouch-server aws-template --format cloudformation \\\n    --account 123456789012');
  });

  test.each<[string, string, RegExp]>([
    ['on this machine', 'http://localhost:3000', /^vouch-server: AWS cannot reach http:\/\/localhost:3000: .*\n$/],
    ['on this machine with TLS', 'https://localhost', /AWS cannot reach/],
    ['with a port', 'https://vouch.example.com:8443', /^vouch-server: AWS takes no issuer with a port.*\n$/],
  ])('prints the template for an issuer %s, and warns that AWS does not accept it', async (_name, issuer, message) => {
    const { code, stdout, stderr } = await print('cloudformation', { VOUCH_ISSUER: issuer });
    expect(code).toBe(0);
    expect(stderr).toMatch(message);
    expect(fromCloudFormation(stdout).provider?.url).toBe(issuer);
  });

  test('warns if the policies are larger than IAM allows', async () => {
    const domains = Array.from({ length: 100 }, (_, index) => `team-${index}.example.com`);
    const repositories = Array.from({ length: 200 }, (_, index) => DEMO.replace('demo', `repository-${index}`));
    const { code, stderr } = await print('cli', HTTPS, '--domain', ...domains, '--repository', ...repositories);
    expect(code).toBe(0);
    expect(stderr).toMatch(/2,048 characters/);
    expect(stderr).toMatch(/10,240 characters/);
  });
});

test('sh can read the printed script', async () => {
  const { stdout } = await print('cli');
  expect(() => execFileSync('sh', ['-n'], { input: stdout })).not.toThrow();
});

test('docs/aws.md shows what the command prints', () => {
  const docs = readFileSync(resolve(import.meta.dirname, '../../../../docs/aws.md'), 'utf8');
  const blocks = [...docs.matchAll(/^```console\n\$ (vouch-server aws-template [\s\S]*?[^\\])\n(?!>)([\s\S]*?)```$/gm)];
  expect(blocks).toHaveLength(3);
  const file = join(folder, 'vouch-server');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
  const env = cleanEnvironment({ ...HTTPS, PATH: `${folder}:/usr/bin:/bin` });
  for (const [, command = '', shown] of blocks) {
    expect(execFileSync('sh', ['-c', command.replaceAll('\n> ', '\n')], { env, encoding: 'utf8' })).toBe(shown);
  }
});
