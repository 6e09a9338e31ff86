import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { vouchProfiles } from '../../../cli/aws/profiles.ts';
import { type SetupAwsOptions, setupAws } from '../../../cli/commands/setup-aws.ts';
import { captured, type Machine, machine, read, role } from '../support.ts';

const file = ({ folder }: Machine) => join(folder, 'home/.aws/config');

function withConfig(text: string, mode = 0o644): Machine {
  const the = machine();
  mkdirSync(dirname(file(the)));
  writeFileSync(file(the), text);
  chmodSync(file(the), mode);
  return the;
}

async function setUp(the: Machine, options: Partial<SetupAwsOptions> = {}) {
  const { out, io } = captured(the.env);
  return { code: await setupAws({ role, ...options }, io), ...out };
}

const ours = `credential_process = vouch credential aws --role ${role}\n`;

test('writes a profile that Vouch finds again, and running it twice changes nothing', async () => {
  const the = machine();
  expect(await setUp(the, { region: 'eu-west-1' })).toEqual({
    code: 0,
    stdout: `Wrote profile vouch in ${file(the)}\n  ${role}\n`,
    stderr: '',
  });
  expect(read(file(the))).toBe(`[profile vouch]\n${ours}region = eu-west-1\n`);
  expect(statSync(file(the)).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(file(the))).mode & 0o777).toBe(0o700);
  expect((await vouchProfiles(the.env)).map(({ name, role, region }) => [name, role.arn, region])).toEqual([
    ['vouch', role, 'eu-west-1'],
  ]);
  const { ino } = statSync(file(the));
  for (const again of [{ region: 'eu-west-1' }, {}]) {
    expect(await setUp(the, again)).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to change') });
  }
  expect(statSync(file(the)).ino).toBe(ino);
});

test.each([
  [
    'a file that does not end in a newline',
    '[default]\nregion = us-east-1',
    `[default]\nregion = us-east-1\n\n[profile vouch]\n${ours}`,
  ],
  [
    'comments and other profiles',
    '# a\n\n[profile x] ; b\n  region=a\ns3 =\n  k = v\n',
    `# a\n\n[profile x] ; b\n  region=a\ns3 =\n  k = v\n\n[profile vouch]\n${ours}`,
  ],
  [
    'Windows line ends',
    '[default]\r\nregion = a\r\n',
    `[default]\r\nregion = a\r\n\r\n[profile vouch]\r\n${ours.replace('\n', '\r\n')}`,
  ],
])('keeps %s', async (_, before, after) => {
  const the = withConfig(before, 0o640);
  expect((await setUp(the)).code).toBe(0);
  expect(read(file(the))).toBe(after);
  expect(statSync(file(the)).mode & 0o777).toBe(0o640);
  expect(readdirSync(dirname(file(the)))).toEqual(['config']);
});

test('does not overwrite another profile of that name without --force', async () => {
  const before =
    '[profile vouch]\n# mine\nsso_session = x\noutput = json\nrole_arn = arn:x\n[profile y]\nrole_arn = z\n';
  const the = withConfig(before);
  expect(await setUp(the)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/another profile "vouch".*\n.*arn:x\n.*--force/),
  });
  expect(read(file(the))).toBe(before);
  expect(await setUp(the, { force: true })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Changed profile/),
  });
  expect(read(file(the))).toBe(`[profile vouch]\n${ours}# mine\noutput = json\n[profile y]\nrole_arn = z\n`);
});

test.each([
  ['another role', `[profile vouch]\n${ours.replace('Developer', 'Admin')}`],
  ['another region', `[profile vouch]\n${ours}region = us-west-2\n`],
  ['a rival setting', `[profile vouch]\n${ours}region = eu-west-1\nrole_arn = x\n`],
  ['a quoted name', `[profile "vouch"]\nregion = eu-west-1\n`],
])('takes %s for another profile', async (_, before) => {
  const the = withConfig(before);
  expect((await setUp(the, { region: 'eu-west-1' })).code).toBe(1);
  expect(read(file(the))).toBe(before);
});

test('writes several profiles, and the default one', async () => {
  const the = machine();
  for (const profile of ['vouch', 'prod', 'default']) expect((await setUp(the, { profile })).code).toBe(0);
  expect(read(file(the))).toBe(`[profile vouch]\n${ours}\n[profile prod]\n${ours}\n[default]\n${ours}`);
  expect((await vouchProfiles(the.env)).map(({ name }) => name).sort()).toEqual(['default', 'prod', 'vouch']);
});

test('refuses a file that has the profile twice', async () => {
  const the = withConfig('[profile vouch]\na = b\n[profile vouch]\nc = d\n');
  expect(await setUp(the, { force: true })).toMatchObject({ code: 1, stderr: expect.stringContaining('twice') });
});

test.each([true, false])('follows a symbolic link, to a file that exists: %s', async (exists) => {
  const the = machine();
  const target = join(the.folder, 'dotfiles/aws');
  mkdirSync(dirname(target));
  if (exists) writeFileSync(target, '');
  mkdirSync(dirname(file(the)));
  symlinkSync('../../dotfiles/aws', file(the));
  expect((await setUp(the)).code).toBe(0);
  expect(lstatSync(file(the)).isSymbolicLink()).toBe(true);
  expect(read(target)).toBe(`[profile vouch]\n${ours}`);
});

test.each([
  [{ role: 'arn:aws:iam::1:role/x' }, /not the ARN of a role/],
  [{ role: `${role}\nregion = x` }, /not the ARN of a role/],
  [{ region: 'mars-1' }, /not the name of a region/],
  [{ region: 'cn-north-1' }, /partition/],
  [{ profile: 'a]b' }, /cannot be the name/],
  [{ profile: '-x' }, /cannot be the name/],
  [{ profile: '' }, /cannot be the name/],
])('refuses %j as usage', async (options, words) => {
  const the = machine();
  expect(await setUp(the, options)).toMatchObject({ code: 2, stderr: expect.stringMatching(words) });
  expect(readdirSync(join(the.folder, 'home'))).toEqual([]);
});

test('says why a file cannot be written', async () => {
  const the = withConfig('');
  // A folder that is a file: root as well cannot write there.
  the.env.AWS_CONFIG_FILE = join(file(the), 'config');
  expect(await setUp(the)).toMatchObject({ code: 1, stderr: expect.stringMatching(/could not be (written|read)/) });
  expect(readFileSync(file(the), 'utf8')).toBe('');
});

test('a file that cannot be read is an error, not an empty file', async () => {
  const the = machine();
  mkdirSync(file(the), { recursive: true });
  expect(await setUp(the)).toMatchObject({ code: 1, stderr: expect.stringContaining('could not be read') });
  expect(execFileSync('ls', [file(the)], { encoding: 'utf8' })).toBe('');
});
