import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseProfile, type ProfileRequest } from '../../../../cli/aws/config/choose-profile.ts';
import { splitCommandLine } from '../../../../cli/aws/config/command-line.ts';
import { roleOfCredentialProcess } from '../../../../cli/aws/config/credential-process.ts';
import { ProfileReader } from '../../../../cli/aws/config/profile-reader.ts';
import { type VouchProfile, vouchProfiles } from '../../../../cli/aws/config/profiles.ts';
import { defaultRegion } from '../../../../cli/git-remote-codecommit/aws-config.ts';
import type { Problem } from '../../../../cli/problem/problem.ts';
import { machine, role, root, run } from '../../support.ts';

function config(text: string) {
  const { env } = machine();
  const file = join(env.HOME ?? '', '.aws/config');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return { env, file };
}

test('the profiles are those whose credential_process is ours', async () => {
  const { env } = config(`
# a comment
[default]
region = eu-west-1

[profile vouch]
credential_process = vouch credential aws --role ${role}
region = us-east-1
[profile quoted]
credential_process = "/opt/my tools/vouch" credential aws --role '${role}2'
[profile equals]
credential_process=/usr/bin/vouch credential aws --role=${role}3
[profile other]
credential_process = aws-vault exec --json other
[profile bad]
credential_process = vouch credential aws --role not-an-arn
[profile sso]
sso_session = x
[sso-session x]
sso_region = us-east-1
`);
  const found = (await vouchProfiles(env)).map(({ name, role, region }) => [name, role.arn, region]);
  expect(found).toEqual([
    ['vouch', role, 'us-east-1'],
    ['quoted', `${role}2`, undefined],
    ['equals', `${role}3`, undefined],
  ]);
});

const credentialProcess = (arn: string) => `credential_process = vouch credential aws --role ${arn}\n`;

describe("a profile's heading is read as AWS CLI reads it", () => {
  /** What AWS CLI 1.45 (botocore 1.43, Python 3.11) makes of each. */
  test.each<[heading: string, name?: string]>([
    ['[profile x]', 'x'],
    ['[profile   x]', 'x'],
    ['[profile x ]', 'x'],
    ['[profile\tx\t]', 'x'],
    ['  [profile x]  ', 'x'],
    ['[profile x] # mine', 'x'],
    ['[profile x]junk', 'x'],
    ['[profile x]\r', 'x'],
    ['[profile "x"]', 'x'],
    ["[profile 'x' ]", 'x'],
    ['[profile "my name"]', 'my name'],
    ['[profile my\\ name]', 'my name'],
    ['[profile "a\\"b"]', 'a"b'],
    ['[profile "a\\$b"]', 'a\\$b'],
    ['[profile "a]b"]', 'a]b'],
    ['[profile a"b c"d]', 'ab cd'],
    ['[profile #x]', '#x'],
    ['[profile é]', 'é'],
    ['[profile __proto__]', '__proto__'],
    ['[profiles x]', 'x'],
    ['[default]', 'default'],
    ['[profile  default]', 'default'],
    ['[ profile x]'],
    ['[ profile x ]'],
    ['[profile my name]'],
    ['[profile "x]'],
    ['[profile x\\]'],
    ['[profile]'],
    ['[profile.x]'],
    ['[PROFILE x]'],
    ['["profile" x]'],
    ['[profile a ;b]'],
    ['[profile x] # not [y]'],
    ['[default ]'],
    ['[ default]'],
    ['[Default]'],
    ['[x]'],
  ])('%j', async (heading, ...names) => {
    const { env } = config(`${heading}\n${credentialProcess(role)}region = eu-west-1\n`);
    expect((await vouchProfiles(env)).map(({ name }) => name)).toEqual(names);
    expect(await defaultRegion(env)).toBe(names[0] === 'default' ? 'eu-west-1' : undefined);
  });

  test('further in than the setting before it, it is part of that one', async () => {
    const part = `[profile x]\n${credentialProcess(role)} [profile y]\n${credentialProcess(`${role}2`)}`;
    expect((await vouchProfiles(config(part).env)).map(({ name }) => name)).toEqual(['x']);
    const own = `[profile x]\n ${credentialProcess(role)} [profile y]\n ${credentialProcess(`${role}2`)}`;
    expect((await vouchProfiles(config(own).env)).map(({ name }) => name)).toEqual(['x', 'y']);
  });

  test('of two that name one profile in two ways, the later counts alone', async () => {
    const text = `[profile x]\n${credentialProcess(role)}region = eu-west-1\n[profile  x]\n${credentialProcess(`${role}2`)}`;
    const found = (await vouchProfiles(config(text).env)).map(({ role, region }) => [role.arn, region]);
    expect(found).toEqual([[`${role}2`, undefined]]);
  });
});

test('settings are read as AWS CLI reads them: in any case, with a colon, and not those nested in others', async () => {
  const text = `[profile x]\nCREDENTIAL_PROCESS : vouch credential aws --role ${role}\ns3 =\n  region = nested\nRegion=eu-west-1 # mine\n`;
  const found = (await vouchProfiles(config(text).env)).map(({ name, region }) => [name, region]);
  expect(found).toEqual([['x', 'eu-west-1']]);
});

describe('chained profiles', () => {
  const process = (name: string, arn = role) =>
    `[${name === 'default' ? name : `profile ${name}`}]\ncredential_process = vouch credential aws --role ${arn}\n`;
  const chain = (name: string, source: string, more = '') =>
    `[profile ${name}]\nrole_arn = ${role}-${name}\nsource_profile = ${source}\n${more}\n`;

  /** Each profile's name and the ones that it is assumed through. */
  async function found(text: string) {
    const way = (profile: VouchProfile | undefined): string[] =>
      profile === undefined ? [] : [profile.name, ...way(profile.source)];
    return (await vouchProfiles(config(text).env)).map((profile) => way(profile).join(' < '));
  }

  test('lead to a direct one, over any number of others, in whatever order the file has them', async () => {
    const text =
      chain('c', 'b') + process('default') + chain('b', 'a') + process('x', `${role}x`) + chain('a', 'default');
    expect(await found(text)).toEqual(['default', 'c < b < a < default', 'b < a < default', 'x', 'a < default']);
  });

  test('have the settings for assuming the role', async () => {
    const more = 'region = eu-west-1\nexternal_id = e/1=\nrole_session_name = ci\nduration_seconds = 1200\n';
    const [, profile] = await vouchProfiles(config(process('vouch') + chain('a', 'vouch', more)).env);
    expect(profile).toEqual({
      name: 'a',
      role: expect.objectContaining({ arn: `${role}-a`, account: '123456789012' }),
      region: 'eu-west-1',
      source: { name: 'vouch', role: expect.objectContaining({ arn: role }), region: undefined },
      externalId: 'e/1=',
      roleSessionName: 'ci',
      durationSeconds: 1200,
    });
  });

  test.each([
    ['a source that is not there', chain('a', 'nobody')],
    ["a source of somebody else's", `[profile other]\nsso_session = x\n${chain('a', 'other')}`],
    ['a code of an MFA device', chain('a', 'vouch', 'mfa_serial = arn:aws:iam::123456789012:mfa/alice')],
    ['a source that wants such a code', chain('a', 'vouch', 'mfa_serial = x') + chain('b', 'a')],
    ['itself as the source', chain('a', 'a')],
    [
      'itself as the source, and a process',
      chain('a', 'a', `credential_process = vouch credential aws --role ${role}`),
    ],
    ['a loop', chain('a', 'b') + chain('b', 'c') + chain('c', 'a')],
    ['a way into a loop', chain('a', 'b') + chain('b', 'c') + chain('c', 'b')],
    ['a source with keys of its own', `${process('keys').replace('vouch cred', 'other cred')}${chain('a', 'keys')}`],
    ['an ARN that is not one', chain('a', 'vouch').replace('arn:aws', 'arn:moon')],
    ['two kinds of source', chain('a', 'vouch', 'credential_source = Environment')],
    ['no source', `[profile a]\nrole_arn = ${role}\n`],
    ['an empty source', chain('a', '')],
  ])('with %s are not ours', async (_, text) => {
    expect(await found(text + process('vouch'))).toEqual(['vouch']);
  });

  test('whose source has its own access keys, which AWS tools would use, are not ours', async () => {
    const text = `${process('vouch')}aws_access_key_id = AKIA\naws_secret_access_key = secret\n${chain('a', 'vouch')}`;
    expect(await found(text)).toEqual(['vouch']);
  });

  test('have the role of role_arn, not of credential_process, as in AWS tools', async () => {
    const both = chain('a', 'vouch', `credential_process = vouch credential aws --role ${role}-of-the-process`);
    const [, profile] = await vouchProfiles(config(process('vouch') + both).env);
    expect([profile?.role.arn, profile?.source?.name]).toEqual([`${role}-a`, 'vouch']);
  });

  test('of thousands of hops are followed to the end', async () => {
    const hops = Array.from(
      { length: 5000 },
      (_, n) => `[profile p${n}]\nrole_arn=${role}\nsource_profile=p${n + 1}\n`,
    );
    const profiles = await vouchProfiles(config(hops.join('') + process('p5000')).env);
    expect(profiles).toHaveLength(5001);
  });
});

describe('a config file', () => {
  test('may hold anything: it is read, or holds no profile', async () => {
    const { env, file } = config('');
    const piece = fc.constantFrom(
      '[',
      ']',
      'profile ',
      '[profile a]',
      '[default]',
      '[profile __proto__]',
      '[__proto__]',
      '[profile b]',
      '\n',
      '\r',
      '\0',
      '=',
      ' ',
      '\t',
      '#',
      ';',
      'role_arn',
      'source_profile',
      'credential_process',
      '__proto__',
      'constructor',
      'a',
      'b',
      '"',
      "'",
      role,
      `vouch credential aws --role ${role}`,
      '\ufeff',
      'é',
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 60 }).map((all) => all.join('')),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        writeFileSync(file, content);
        for (const profile of await vouchProfiles(env)) expect(profile.role.arn).toContain('arn:aws:iam::');
      }),
      { numRuns: 150 },
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        writeFileSync(file, bytes);
        expect(await vouchProfiles(env)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  test('of more than 1 MiB is not read', async () => {
    const { env } = config(
      `[profile p]\ncredential_process = vouch credential aws --role ${role}\n${'#\n'.repeat(600_000)}`,
    );
    expect(await vouchProfiles(env)).toEqual([]);
  });

  test('that never ends, or never begins, is not waited for', async () => {
    const { env, folder } = machine();
    const fifo = join(folder, 'fifo');
    expect(await run('mkfifo', [fifo], env)).toMatchObject({ code: 0 });
    for (const file of [fifo, '/dev/zero', folder]) {
      expect(await vouchProfiles({ ...env, AWS_CONFIG_FILE: file })).toEqual([]);
    }
  });

  test('among very many is read again when its turn comes, and never taken for another', async () => {
    const { folder } = machine();
    const reader = new ProfileReader();
    const files = Array.from({ length: 50 }, (_, n) => {
      const file = join(folder, String(n));
      writeFileSync(file, `[profile p]\ncredential_process = vouch credential aws --role ${role}-${n}\n`);
      return file;
    });
    for (const round of [files, files.toReversed(), files]) {
      const all = await Promise.all(round.map((file) => reader.read(file)));
      const arns = all.map(([profile]) => profile?.role.arn);
      expect(arns).toEqual(round.map((file) => `${role}-${file.slice(folder.length + 1)}`));
    }
  });
});

test('AWS_CONFIG_FILE is honoured, and a file that is not there holds no profile', async () => {
  const { env, file } = config(`[profile p]\ncredential_process = vouch credential aws --role ${role}\n`);
  const nowhere = `${file}.none`;
  expect(await vouchProfiles({ ...env, HOME: nowhere, AWS_CONFIG_FILE: file })).toHaveLength(1);
  expect(await vouchProfiles({ ...env, AWS_CONFIG_FILE: nowhere })).toEqual([]);
});

test('a changed file is read again', async () => {
  const { file } = config('');
  const reader = new ProfileReader();
  const read = () => reader.read(file);
  expect(await read()).toEqual([]);
  writeFileSync(file, `[profile p]\ncredential_process = vouch credential aws --role ${role}\n`);
  utimesSync(file, 1e9, 1e9);
  const [profile] = await read();
  expect(profile?.name).toBe('p');
  expect((await read())[0]).toBe(profile);
  // A file that has just changed could change again and look the same.
  const soon = Date.now() / 1000 + 60;
  utimesSync(file, soon, soon);
  expect((await read())[0]).not.toBe((await read())[0]);
  rmSync(file);
  expect(await read()).toEqual([]);
});

test('callers that ask during a look share the next look, which finds what was changed before', async () => {
  const { file } = config('');
  const reader = new ProfileReader();
  const first = reader.read(file);
  writeFileSync(file, `[profile p]\ncredential_process = vouch credential aws --role ${role}\n`);
  const later = [reader.read(file), reader.read(file), reader.read(file)];
  expect(later[1]).toBe(later[0]);
  expect(later[0]).not.toBe(first);
  for (const profiles of await Promise.all(later)) expect(profiles).toMatchObject([{ name: 'p' }]);
  rmSync(file);
  expect(await reader.read(file)).toEqual([]);
});

test.each([
  [`vouch credential aws --role ${role}`, role],
  [`/a/b/vouch credential aws --role "${role}"`, role],
  [`evil-vouch credential aws --role ${role}`, undefined],
  [`vouch credential gcp --role ${role}`, undefined],
  ['vouch credential aws --role', undefined],
  ['vouch credential aws', undefined],
  ['', undefined],
  [`vouch credential aws --role "${role}`, undefined],
])('%j names the role %s', (command, arn) => {
  expect(roleOfCredentialProcess(command)?.arn).toBe(arn);
});

test('a command line is split as a shell splits plain words', () => {
  expect(splitCommandLine(`a  'b c' "d \\"e\\\\ f" g\\ h "" i'j'k`)).toEqual([
    'a',
    'b c',
    'd "e\\ f',
    'g h',
    '',
    'ijk',
  ]);
  expect(splitCommandLine("a 'b")).toBeUndefined();
  expect(splitCommandLine('a b\\')).toBeUndefined();
});

test('which profile serves a request', async () => {
  const { env } = config(
    ['vouch', 'prod', 'test']
      .map((n) => `[profile ${n}]\ncredential_process = vouch credential aws --role ${role}-${n}\n`)
      .join(''),
  );
  const profiles = await vouchProfiles(env);
  const choice = (wanted: ProfileRequest, among = profiles) => chooseProfile(among, wanted).name;
  expect(choice({ username: 'prod', profile: 'test', awsProfile: 'vouch' })).toBe('prod');
  expect(choice({ username: '', profile: 'test', awsProfile: 'vouch' })).toBe('test');
  expect(choice({ awsProfile: 'vouch' })).toBe('vouch');
  expect(choice({ awsProfile: 'of-somebody-else' }, profiles.slice(1, 2))).toBe('prod');
  expect(choice({}, profiles.slice(1, 2))).toBe('prod');
  const kinds = (wanted: ProfileRequest, among = profiles) => {
    try {
      return choice(wanted, among);
    } catch (error) {
      return (error as Problem).kind;
    }
  };
  expect(kinds({})).toBe('several-profiles');
  expect(kinds({ awsProfile: 'of-somebody-else' })).toBe('several-profiles');
  expect(kinds({ username: 'nobody', profile: 'test' })).toBe('unknown-profile');
  expect(kinds({ profile: 'nobody' }, profiles.slice(1, 2))).toBe('unknown-profile');
  expect(kinds({ username: 'Prod' })).toBe('unknown-profile');
  expect(kinds({}, [])).toBe('no-profile');
  for (const wanted of [{}, { username: 'nobody' }, { profile: 'nobody' }]) {
    expect(() => choice(wanted)).toThrow(
      expect.objectContaining({
        why: `Vouch's profiles are: vouch (${role}-vouch), prod (${role}-prod), test (${role}-test).`,
      }),
    );
  }
});

const chinese = role.replace('aws:', 'aws-cn:');
const profile = (name: string, arn = role, more = '') =>
  `[profile ${name}]\ncredential_process = vouch credential aws --role ${arn}\n${more}`;

test('of several, the default serves, and the only one whose role can be of use to the host', async () => {
  const choice = async (text: string, wanted: ProfileRequest) => {
    const profiles = await vouchProfiles(config(text).env);
    try {
      return chooseProfile(profiles, wanted).name;
    } catch (error) {
      return (error as Problem).kind;
    }
  };
  const host = 'git-codecommit.us-east-1.amazonaws.com';
  const there = 'git-codecommit.cn-north-1.amazonaws.com.cn';
  const two = profile('a', role, 'vouch_default = true\n') + profile('b');
  expect(await choice(two, {})).toBe('a');
  expect(await choice(two, { host })).toBe('a');
  expect(await choice(two, { host, awsProfile: 'b' })).toBe('b');
  expect(await choice(two, { host, profile: 'b' })).toBe('b');
  expect(await choice(two, { host, username: 'b' })).toBe('b');
  expect(await choice(two.replace('true', 'false'), { host })).toBe('several-profiles');
  expect(await choice(two + profile('c', role, 'vouch_default = TRUE\n'), { host })).toBe('several-profiles');
  const apart = profile('a', role, 'vouch_default = true\n') + profile('cn', chinese);
  expect(await choice(apart, { host: there })).toBe('cn');
  expect(await choice(apart.replace('true', 'no'), { host })).toBe('a');
  expect(await choice(apart.replace('true', 'no'), {})).toBe('several-profiles');
  // Neither role can be used there. The default is chosen, so that the error is about its role.
  expect(await choice(two, { host: there })).toBe('a');
  const deploy = `[profile deploy]\nrole_arn = ${role}-2\nsource_profile = a\nvouch_default = true\n`;
  expect(await choice(profile('a') + deploy, { host })).toBe('deploy');
});

test('the advice about several has commands that are right as they are', async () => {
  const profiles = await vouchProfiles(config(profile('cn', chinese) + profile('b@c') + profile('d')).env);
  const fix = (wanted: ProfileRequest) => {
    try {
      return chooseProfile(profiles, wanted).name;
    } catch (error) {
      return (error as Problem).fix;
    }
  };
  const host = 'git-codecommit.us-east-1.amazonaws.com';
  expect(fix({ host, path: 'v1/repos/demo' })).toBe(
    `Name one: for all repositories with \`vouch setup codecommit --profile b@c\`, for this one with \`vouch setup codecommit --profile b@c --url https://${host}/v1/repos/demo\`, in its URL (https://b%40c@${host}/v1/repos/demo), or with AWS_PROFILE=b@c.`,
  );
  expect(fix({ host, path: 'v1/repos/$(id)' })).toContain(`--url https://${host}\``);
  expect(fix({})).toBe(
    'Name one: for all repositories with `vouch setup codecommit --profile cn`, or with AWS_PROFILE=cn.',
  );
});

test('no advice has a gap in it that the reader would have to fill in', () => {
  const sources = readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' });
  const gaps = sources
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => readFileSync(join(root, 'cli', name), 'utf8').split('\n'))
    .filter((line) => /`[^`]*\bvouch [^`]*<[A-Za-z ]+>/.test(line) && !/^ *(\/?\*|\/\/)/.test(line));
  expect(gaps).toEqual([]);
});
