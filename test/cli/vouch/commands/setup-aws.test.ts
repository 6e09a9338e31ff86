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
import { chooseProfile } from '../../../../cli/aws/config/choose-profile.ts';
import { vouchProfiles } from '../../../../cli/aws/config/profiles.ts';
import { nodeOptions } from '../../../../cli/programs.ts';
import { type SetupAwsOptions, setupAws } from '../../../../cli/vouch/commands/setup-aws.ts';
import { setupCodeCommit } from '../../../../cli/vouch/commands/setup-codecommit.ts';
import { captured, host, type Machine, machine, read, role, runCommand } from '../../support.ts';

const file = ({ folder }: Machine) => join(folder, 'home/.aws/config');

function withConfig(text: string, mode = 0o644): Machine {
  const the = machine();
  mkdirSync(dirname(file(the)));
  writeFileSync(file(the), text);
  chmodSync(file(the), mode);
  return the;
}

const setUp = (the: Machine, options: Partial<SetupAwsOptions> = {}) =>
  runCommand(the.env, (io) => setupAws({ role, ...options }, io, false));

const ours = `credential_process = vouch credential aws --role ${role}\n`;

test('writes a profile that Vouch finds again, and running it twice changes nothing', async () => {
  const the = machine();
  expect(await setUp(the, { region: 'eu-west-1' })).toEqual({
    code: 0,
    stdout: `Wrote profile vouch in ${file(the)}\n  + [profile vouch]\n  + ${ours}  + region = eu-west-1\nNext: \`vouch setup\`\n`,
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
  expect(read(file(the))).toBe(
    `[profile vouch]\nvouch_default = true\n${ours}\n[profile prod]\n${ours}\n[default]\n${ours}`,
  );
  expect((await vouchProfiles(the.env)).map(({ name }) => name).sort()).toEqual(['default', 'prod', 'vouch']);
});

test('a second profile leaves the first one to serve what it served, and says so; a third changes nothing', async () => {
  const the = withConfig(`[default]\nregion = eu-west-1\n[profile vouch] # mine \n  ${ours}# the end\n`);
  const serving = async () => chooseProfile(await vouchProfiles(the.env), { host }).name;
  expect(await serving()).toBe('vouch');
  const dry = await setUp(the, { profile: 'prod', dryRun: true });
  expect(dry.stdout).toContain('  + vouch_default = true\n');
  const { code, stdout } = await setUp(the, { profile: 'prod', role: chained });
  expect([code, stdout]).toEqual([
    0,
    expect.stringContaining(
      'Profile vouch stays the default: it serves the repositories for which nothing names another.\n' +
        'To use prod: `vouch setup codecommit --profile prod` for all, with --url for one, or prod@ in a URL.\n',
    ),
  ]);
  expect(await serving()).toBe('vouch');
  expect(read(file(the))).toContain(`[profile vouch] # mine \n  vouch_default = true\n  ${ours}# the end\n`);
  const before = read(file(the));
  const third = await setUp(the, { profile: 'third', role: chained });
  expect(third.stdout).not.toContain('default');
  expect(read(file(the))).toBe(`${before}\n[profile third]\n${ours.replace(role, chained)}`);
  // After a change the default profile is still the default.
  expect((await setUp(the, { force: true, role: chained })).code).toBe(0);
  expect(await serving()).toBe('vouch');
});

test('another tool’s profile that becomes a second Vouch profile does not replace the first one either', async () => {
  const the = withConfig(`[profile vouch]\n${ours}\n[profile prod]\nsso_session = x\n`);
  expect((await setUp(the, { profile: 'prod', force: true })).stdout).toContain('Profile vouch stays the default');
  expect(chooseProfile(await vouchProfiles(the.env), {}).name).toBe('vouch');
});

/** The settings by which AWS's tools would get credentials elsewhere, or that contradict ours. */
const rivals = {
  aws_access_key_id: 'AKIAEXAMPLE',
  aws_secret_access_key: 'x',
  aws_session_token: 'x',
  credential_source: 'Ec2InstanceMetadata',
  external_id: 'x',
  login_session: 'x',
  mfa_serial: 'arn:aws:iam::123456789012:mfa/x',
  role_arn: role,
  role_session_name: 'x',
  source_profile: 'default',
  sso_account_id: '1',
  sso_region: 'us-east-1',
  sso_role_name: 'x',
  sso_session: 'x',
  sso_start_url: 'https://x',
  web_identity_token_file: '/x',
};

test.each(Object.entries(rivals))(
  'over a profile with %s: not without --force, which takes it out',
  async (name, value) => {
    const before = `[profile vouch]\n${ours}${name.toUpperCase()} = ${value}\noutput = json\n`;
    const the = withConfig(before);
    expect(await setUp(the)).toMatchObject({ code: 1, stderr: expect.stringContaining('another profile "vouch"') });
    expect(read(file(the))).toBe(before);
    expect((await setUp(the, { force: true })).code).toBe(0);
    expect(read(file(the))).toBe(`[profile vouch]\n${ours}output = json\n`);
  },
);

test.each(Object.entries({ ...rivals, credential_process: 'other' }))(
  'over a chained profile with %s: not without --force, which takes it out',
  async (name, value) => {
    const the = withConfig('');
    await setUp(the);
    const options = { profile: 'deploy', role: chained, sourceProfile: 'vouch' };
    await setUp(the, options);
    const before = read(file(the));
    if (name === 'role_arn' || name === 'source_profile') return;
    writeFileSync(file(the), `${before}${name} = ${value}\n`);
    expect((await setUp(the, options)).code).toBe(1);
    expect((await setUp(the, { ...options, force: true })).code).toBe(0);
    expect(read(file(the))).toBe(before);
  },
);

test.each([
  '[profile   vouch]',
  '[profile vouch ]',
  '[profile\tvouch]',
  '[profile "vouch"]',
  "[profile 'vouch' ]",
  '[profile vouch]\t# mine',
])('finds a profile under %j: to leave it, to change it and to take it out', async (heading) => {
  const others = '[profile y]\nregion = a\n\n';
  const the = withConfig(`${others}${heading}\n${ours}`);
  expect((await setUp(the)).stdout).toContain('nothing to change');
  expect((await setUp(the, { role: chained })).code).toBe(1);
  expect((await setUp(the, { role: chained, force: true })).code).toBe(0);
  expect(read(file(the))).toBe(`${others}${heading}\n${ours.replace(role, chained)}`);
  expect((await vouchProfiles(the.env)).map(({ role }) => role.arn)).toEqual([chained]);
  expect((await setUp(the, { profile: 'vouch', remove: true })).code).toBe(0);
  expect(read(file(the))).toBe(others.slice(0, -1));
});

test('a profile whose settings are indented stays so: none becomes part of the one before it', async () => {
  const the = withConfig(
    `[profile vouch]\n  sso_session = x\n    y\n  output = json\n  s3 =\n    a = b\n\t# mine\n[profile y]\n`,
  );
  expect((await setUp(the)).stderr).toContain('another profile');
  expect((await setUp(the, { force: true, region: 'eu-west-1' })).code).toBe(0);
  expect(read(file(the))).toBe(
    `[profile vouch]\n  ${ours}  region = eu-west-1\n  output = json\n  s3 =\n    a = b\n\t# mine\n[profile y]\n`,
  );
  expect((await setUp(the, { region: 'eu-west-1' })).stdout).toContain('nothing to change');
});

test('refuses a file that has the profile twice, however it is written', async () => {
  for (const second of ['[profile vouch]', '[profile  vouch ]', '[profile "vouch"]']) {
    const the = withConfig(`[profile vouch]\na = b\n${second}\nc = d\n`);
    expect(await setUp(the, { force: true })).toMatchObject({ code: 1, stderr: expect.stringContaining('twice') });
  }
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
  [{ region: 'us-esat-1' }, /not the name of a region: us-esat-1/],
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
  // The folder is a file, so that even root cannot write there.
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

const chained = 'arn:aws:iam::210987654321:role/team/Deployer';

test('writes a profile for a role that is assumed through another profile of Vouch', async () => {
  const the = machine();
  await setUp(the);
  const options = {
    role: chained,
    profile: 'deploy',
    sourceProfile: 'vouch',
    externalId: 'abc/1',
    region: 'us-west-2',
  };
  expect((await setUp(the, options)).code).toBe(0);
  expect(read(file(the))).toBe(
    `[profile vouch]\nvouch_default = true\n${ours}\n[profile deploy]\nrole_arn = ${chained}\nsource_profile = vouch\nexternal_id = abc/1\nregion = us-west-2\n`,
  );
  const [, deploy] = await vouchProfiles(the.env);
  expect(deploy).toMatchObject({ name: 'deploy', externalId: 'abc/1', source: { name: 'vouch' } });
  expect(await setUp(the, options)).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to change') });
  // The same profile without its external id counts as another profile.
  expect((await setUp(the, { ...options, externalId: undefined })).code).toBe(1);
  // The profile can also become a direct one.
  expect((await setUp(the, { profile: 'deploy', force: true })).code).toBe(0);
  expect(read(file(the))).toBe(
    `[profile vouch]\nvouch_default = true\n${ours}\n[profile deploy]\n${ours}region = us-west-2\n`,
  );
});

test.each<[Partial<SetupAwsOptions>, RegExp]>([
  [{ sourceProfile: 'nobody' }, /Vouch has no profile "nobody".*\n.*Its profiles are: vouch\./],
  [{ sourceProfile: 'foreign' }, /Vouch has no profile "foreign"/],
  [{ sourceProfile: 'vouch', profile: 'vouch' }, /through itself/],
  [{ sourceProfile: 'vouch', role: chained.replace('aws:', 'aws-cn:') }, /partition aws-cn/],
  [{ sourceProfile: 'vouch', externalId: 'a b' }, /external id/],
  [{ externalId: 'abc' }, /--source-profile/],
])('refuses the chain %j as usage', async (options, words) => {
  const before = `[profile vouch]\n${ours}\n[profile foreign]\nsso_session = x\n`;
  const the = withConfig(before);
  const refused = await setUp(the, { role: chained, profile: 'deploy', force: true, ...options });
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(words) });
  expect(read(file(the))).toBe(before);
});

test.each([
  ['an empty file', ''],
  ['a profile before it', '[default]\nregion = us-east-1\n'],
  ['comments at the end', '[default]\nregion = us-east-1\n\n# the end\n'],
  ['Windows line ends', '[default]\r\nregion = a\r\n'],
  ['line ends of both kinds', '[default]\r\nregion = a\n[profile x]\r\nb = c\n'],
])('--remove takes out what was written: %s', async (_, before) => {
  const the = withConfig(before);
  await setUp(the, { region: 'eu-west-1' });
  const { code, stdout } = await setUp(the, { role: undefined, profile: 'vouch', remove: true });
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^Removed profile vouch in .*\n(.*\n)* {2}- \[profile vouch\]\n/),
  ]);
  expect(read(file(the))).toBe(before);
  expect(await setUp(the, { role: undefined, profile: 'vouch', remove: true })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('nothing to change'),
  });
});

test('--remove leaves what stands around a profile in the middle', async () => {
  const the = withConfig(`# a\n[profile vouch]\n${ours}s3 =\n  k = v\n\n# about x\n[profile x]\nb = c\n`);
  expect((await setUp(the, { profile: 'vouch', remove: true })).code).toBe(0);
  expect(read(file(the))).toBe('# a\n\n# about x\n[profile x]\nb = c\n');
});

test('--remove does not touch another tool’s profile, or one that others are assumed through', async () => {
  const before = `[profile vouch]\n${ours}\n[profile x]\nsso_session = y\n[profile deploy]\nrole_arn = ${chained}\nsource_profile = vouch\n`;
  const the = withConfig(before);
  for (const force of [false, true]) {
    expect(await setUp(the, { profile: 'x', remove: true, force })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("is not Vouch's"),
    });
  }
  expect(await setUp(the, { profile: 'vouch', remove: true })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('deploy'),
  });
  expect(await setUp(the, { remove: true })).toMatchObject({ code: 2, stderr: expect.stringContaining('--profile') });
  expect(read(file(the))).toBe(before);
  expect((await setUp(the, { profile: 'deploy', remove: true })).code).toBe(0);
  expect((await setUp(the, { profile: 'vouch', remove: true })).code).toBe(0);
  expect(read(file(the))).toBe('\n[profile x]\nsso_session = y\n');
});

test('--dry-run shows the change and makes none', async () => {
  const before = '[profile vouch]\noutput = json\nrole_arn = arn:x\n';
  const the = withConfig(before);
  expect(await setUp(the, { force: true, dryRun: true })).toMatchObject({
    code: 0,
    stdout: `Would change profile vouch in ${file(the)}\n    [profile vouch]\n  + ${ours}  - role_arn = arn:x\n`,
  });
  expect((await setUp(the, { profile: 'prod', dryRun: true })).stdout).toMatch(/^Would write profile prod/);
  expect(read(file(the))).toBe(before);
  const nothing = machine();
  await setUp(nothing, { dryRun: true });
  expect(readdirSync(join(nothing.folder, 'home'))).toEqual([]);
});

test('--json reports what was done', async () => {
  const the = machine();
  const { stdout } = await setUp(the, { json: true });
  expect(JSON.parse(stdout)).toEqual({
    profile: 'vouch',
    file: file(the),
    change: 'written',
    dryRun: false,
    settings: { credential_process: ours.replace(/.* = |\n/g, '') },
    diff: ['[profile vouch]', ours.trim()].map((line) => ({ sign: '+', line })),
    notes: [],
  });
  expect(JSON.parse((await setUp(the, { json: true })).stdout)).toMatchObject({ change: 'none', diff: [] });
});

test('the diff shows no secret that it removes, and nothing that controls a terminal', async () => {
  const the = withConfig(
    '[profile vouch]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = hunter2\naws_session_token=hunter3\nrole_arn = \u001b[31mred\n',
  );
  const { code, stdout } = await setUp(the, { force: true });
  expect([code, stdout]).toEqual([0, expect.stringContaining('- aws_secret_access_key = …\n')]);
  expect(stdout).not.toMatch(/hunter|[^\P{Cc}\n]/u);
});

test('lines that are not the profile’s keep their ends, whatever they are', async () => {
  const the = withConfig('[default]\r\na = b\n[profile vouch]\r\nrole_arn = x\r\noutput = json\n[profile y]\nc = d');
  expect((await setUp(the, { force: true })).code).toBe(0);
  const crlf = ours.replace('\n', '\r\n');
  expect(read(file(the))).toBe(`[default]\r\na = b\n[profile vouch]\r\n${crlf}output = json\n[profile y]\nc = d`);
});

test('a file that is not UTF-8 is left alone', async () => {
  const the = withConfig('');
  const bytes = Buffer.from('[default]\n# caf\xe9\n', 'latin1');
  writeFileSync(file(the), bytes);
  expect(await setUp(the)).toMatchObject({ code: 1, stderr: expect.stringContaining('could not be read') });
  expect(readFileSync(file(the))).toEqual(bytes);
});

test('--absolute names Node and Vouch by their paths, which are recognised again', async () => {
  const the = machine();
  const program = join(the.folder, 'bin/vouch');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  expect((await setUp(the, { absolute: true })).code).toBe(0);
  expect(read(file(the))).toContain(
    `credential_process = ${process.execPath} ${nodeOptions.join(' ')} ${program} credential aws --role ${role}\n`,
  );
  expect((await vouchProfiles(the.env)).map(({ role }) => role.arn)).toEqual([role]);
});

/** A machine with Vouch in a folder of that name. */
function machineWithVouchIn(folder: string) {
  const the = machine();
  the.env.PATH = join(the.folder, folder);
  mkdirSync(the.env.PATH);
  writeFileSync(join(the.env.PATH, 'vouch'), '#!/bin/sh\n', { mode: 0o755 });
  return the;
}

test.each(['my bin', "bob's", 'a(b)&c'])(
  "--absolute quotes a path as AWS's tools and a shell read it: %s",
  async (folder) => {
    const the = machineWithVouchIn(folder);
    expect((await setUp(the, { absolute: true })).code).toBe(0);
    expect(read(file(the))).toContain(`"${join(the.folder, folder, 'vouch')}" credential aws`);
    expect((await vouchProfiles(the.env)).map(({ role }) => role.arn)).toEqual([role]);
  },
);

test.each(['$HOME', 'a`id`', 'a"b', 'a\\b'])(
  '--absolute refuses a path that a shell would read as another: %s',
  async (folder) => {
    const the = machineWithVouchIn(folder);
    expect(await setUp(the, { absolute: true })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('could not read this path'),
    });
  },
);

test('says when Git needs a setting for the new profile', async () => {
  const the = machine();
  // Git 2.46 needs no such setting, so this machine's Git claims to be older.
  const git = join(the.folder, 'bin/git');
  writeFileSync(git, `#!/bin/sh\n[ "$1" = --version ] && echo git version 2.39.5 || PATH=\${PATH#*:} exec git "$@"\n`, {
    mode: 0o755,
  });
  const again = /^So that prod@ can .*: `vouch setup codecommit --user prod`$/m;
  await setUp(the);
  expect((await setUp(the, { profile: 'prod' })).stdout).not.toMatch(again);
  expect(await setupCodeCommit({}, captured(the.env).io)).toBe(0);
  await setUp(the, { profile: 'prod', role: undefined, remove: true });
  expect(await setupCodeCommit({ remove: true }, captured(the.env).io)).toBe(0);
  expect(await setupCodeCommit({}, captured(the.env).io)).toBe(0);
  expect((await setUp(the, { profile: 'prod' })).stdout).toMatch(again);
  expect(await setupCodeCommit({}, captured(the.env).io)).toBe(0);
  expect((await setUp(the, { profile: 'prod', role: chained, force: true })).stdout).not.toMatch(again);
});

test('without a terminal and without a role it is a usage error', async () => {
  const the = machine();
  expect(await setUp(the, { role: undefined })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('Name it with --role'),
  });
});
