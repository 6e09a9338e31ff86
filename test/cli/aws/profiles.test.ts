import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { splitCommandLine } from '../../../cli/aws/command-line.ts';
import {
  chooseProfile,
  ProfileReader,
  roleOfCredentialProcess,
  vouchProfiles,
  type Wanted,
} from '../../../cli/aws/profiles.ts';
import type { Problem } from '../../../cli/problem.ts';
import { machine, role } from '../support.ts';

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

test('AWS_CONFIG_FILE is honoured, and a file that is not there holds no profile', async () => {
  const { env, file } = config(`[profile p]\ncredential_process = vouch credential aws --role ${role}\n`);
  expect(await vouchProfiles({ ...env, HOME: '/nonexistent', AWS_CONFIG_FILE: file })).toHaveLength(1);
  expect(await vouchProfiles({ ...env, AWS_CONFIG_FILE: '/nonexistent/config' })).toEqual([]);
});

test('a changed file is read again', async () => {
  const { file } = config('');
  const reader = new ProfileReader();
  const read = () => reader.read(file);
  expect(await read()).toEqual([]);
  writeFileSync(file, `[profile p]\ncredential_process = vouch credential aws --role ${role}\n`);
  const [profile] = await read();
  expect(profile?.name).toBe('p');
  expect((await read())[0]).toBe(profile);
  rmSync(file);
  expect(await read()).toEqual([]);
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
});

test('which profile serves a request', async () => {
  const { env } = config(
    ['vouch', 'prod', 'test']
      .map((n) => `[profile ${n}]\ncredential_process = vouch credential aws --role ${role}-${n}\n`)
      .join(''),
  );
  const profiles = await vouchProfiles(env);
  const choice = (wanted: Wanted, among = profiles) => chooseProfile(among, wanted).name;
  expect(choice({ username: 'prod', profile: 'test', awsProfile: 'vouch' })).toBe('prod');
  expect(choice({ username: '', profile: 'test', awsProfile: 'vouch' })).toBe('test');
  expect(choice({ awsProfile: 'vouch' })).toBe('vouch');
  expect(choice({ awsProfile: 'of-somebody-else' }, profiles.slice(1, 2))).toBe('prod');
  expect(choice({}, profiles.slice(1, 2))).toBe('prod');
  const kinds = (wanted: Wanted, among = profiles) => {
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
  expect(() => choice({})).toThrow(
    expect.objectContaining({
      fix: expect.stringMatching(/https:\/\/vouch@git-codecommit.*--profile.*AWS_PROFILE=vouch/),
    }),
  );
});
