import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repositoryUrl } from '../aws/hosts.ts';
import { forgetDefault } from '../sandbox/accounts.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { type Finished, run } from '../support/run.ts';

let sandbox: Sandbox;
/** The role that may use each region's `demo`. */
const roles: Record<string, string> = {};

beforeAll(async () => {
  sandbox = await startSandbox({ files: { README: 'vouch\n' } });
  const { first, aws } = sandbox;
  roles['us-east-1'] = first.role.arn;
  const prod = await sandbox.addAccount('222222222222', {
    region: 'eu-west-1',
    profile: 'prod',
    files: { README: 'prod\n' },
  });
  roles['eu-west-1'] = prod.role.arn;
  await forgetDefault(sandbox.home);
  // For submodules: a second repository, and permission to use it.
  await aws.createRepository({ name: 'library', region: 'us-east-1', files: { README: 'library\n' } });
  first.account.setPolicies(first.role.name, {
    permissionPolicies: [
      {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: ['codecommit:GitPull', 'codecommit:GitPush'], Resource: '*' }],
      },
    ],
  });
  // A Git without Vouch's settings: it has only the committer and the way to the local AWS.
  const plain = join(sandbox.home, 'plain.gitconfig');
  const settings = [['user.name', 'Alice'], ['user.email', 'alice@example.com'], ...aws.gitConfig] as const;
  for (const [key, value] of settings) await sandbox.succeed('git', ['config', '--file', plain, key, value]);
  sandbox.env.GIT_CONFIG_GLOBAL = plain;
});
afterAll(() => sandbox?.close());

const git = (args: string[], cwd = sandbox.home, env: Record<string, string> = {}): Promise<Finished> =>
  run('git', args, { env: { ...sandbox.env, ...env }, cwd });

async function succeed(args: string[], cwd = sandbox.home, env: Record<string, string> = {}): Promise<Finished> {
  const finished = await git(args, cwd, env);
  expect(finished, `git ${args.join(' ')}`).toMatchObject({ code: 0 });
  return finished;
}

/** The requests that reached CodeCommit during an action, as `region role`. */
async function reached(act: () => Promise<unknown>): Promise<string[]> {
  const before = sandbox.aws.log.length;
  await act();
  return [
    ...new Set(
      sandbox.aws.log
        .slice(before)
        .flatMap(({ service, role, region }) => (service === 'codecommit' && role ? [`${region} ${role}`] : [])),
    ),
  ];
}

describe.sequential('codecommit:// without vouch setup codecommit', () => {
  test('looking at remotes needs no session and no network', async () => {
    const folder = join(sandbox.home, 'offline');
    await succeed(['init', '--quiet', folder]);
    await succeed(['remote', 'add', 'origin', 'codecommit::eu-west-1://prod@demo'], folder);
    const before = sandbox.aws.log.length;
    expect(await git(['remote', '-v'], folder)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('origin\tcodecommit::eu-west-1://prod@demo (push)'),
      stderr: '',
    });
    const shown = await git(['remote', 'show', '-n', 'origin'], folder);
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('prod@demo'), stderr: '' });
    expect(sandbox.aws.log.length).toBe(before);
  });

  test('without a session Git stops, and says what to do', async () => {
    const { code, stderr } = await git(['ls-remote', 'codecommit::us-east-1://vouch@demo']);
    expect(code).toBe(128);
    expect(stderr).toContain('vouch login');
    expect(stderr).not.toMatch(/Username|Password|\bat .*\.js/);
    await sandbox.succeed('vouch', ['login']);
  });

  test.each([
    ['codecommit://demo', { AWS_PROFILE: 'vouch' }, 'us-east-1'],
    ['codecommit://prod@demo', {}, 'eu-west-1'],
    ['codecommit::eu-west-1://demo', { AWS_PROFILE: 'prod' }, 'eu-west-1'],
    ['codecommit::us-east-1://vouch@demo', { AWS_PROFILE: 'prod' }, 'us-east-1'],
  ])('clones, pushes and fetches %s with %j', async (url, env, region) => {
    const folder = url.replaceAll(/\W+/g, '-');
    const cwd = join(sandbox.home, folder);
    const roles = await reached(async () => {
      await succeed(['clone', '--quiet', url, folder], sandbox.home, env);
      await succeed(['commit', '--quiet', '--allow-empty', '-m', folder], cwd, env);
      await succeed(['push', '--quiet', 'origin', `HEAD:refs/heads/${folder}`], cwd, env);
      await succeed(['fetch', '--quiet'], cwd, env);
    });
    expect(roles).toEqual([`${region} ${roleOf(region)}`]);
    const log = await succeed(['log', '-1', '--format=%s', `origin/${folder}`], cwd);
    expect(log.stdout).toBe(`${folder}\n`);
  });

  test('without a region Git stops, and neither guesses one nor asks AWS', async () => {
    const before = sandbox.aws.log.length;
    const { code, stdout, stderr } = await git(['ls-remote', 'codecommit://demo']);
    expect([code, stdout]).toEqual([128, '']);
    expect(stderr).toMatch(
      /^vouch: The AWS Region of the repository demo is not known\.\n {2}.*\n {2}.*codecommit::us-east-1:\/\/demo/,
    );
    expect(sandbox.aws.log.length).toBe(before);
  });

  test('with a region but no profile, the refusal lists the profiles', async () => {
    const { code, stderr } = await git(['ls-remote', 'codecommit::us-east-1://demo']);
    expect(code).toBe(128);
    expect(stderr).toContain(`vouch (${roleOf('us-east-1')}), prod (${roleOf('eu-west-1')})`);
  });

  test.each([4, 8, 16])('a session token of %i KiB works with both kinds of addresses', async (size) => {
    sandbox.aws.sessions.tokenLength = size * 1024;
    await sandbox.succeed('vouch', ['login']);
    const before = sandbox.aws.log.length;
    // This Git is not set up, so the https:// URL needs the settings on the command line.
    const asked = ['credential.helper=vouch', 'credential.useHttpPath=true', 'credential.username=vouch'];
    const settings = asked.flatMap((setting) => ['-c', setting]);
    for (const [kind, url, given] of [
      ['scheme', 'codecommit::us-east-1://vouch@demo', []],
      ['https', repositoryUrl('us-east-1', 'demo'), settings],
    ] as const) {
      const folder = join(sandbox.home, `long-${size}-${kind}`);
      await sandbox.succeed('git', [...given, 'clone', '--quiet', url, folder]);
      const push = ['push', '--quiet', 'origin', `HEAD:refs/heads/long-${size}-${kind}`];
      await sandbox.succeed('git', [...given, ...push], { cwd: folder });
    }
    const done = sandbox.aws.log.slice(before).filter(({ service }) => service === 'codecommit');
    expect(done.filter(({ outcome }) => outcome === 'OK').length).toBeGreaterThanOrEqual(4);
    const { stdout } = await sandbox.succeed('vouch', ['credential', 'aws', '--role', roles['us-east-1'] ?? '']);
    expect(JSON.parse(stdout).SessionToken).toHaveLength(size * 1024);
  });

  test.each([
    'codecommit:///demo',
    'codecommit::us-east-1:/vouch@demo',
    'codecommit::https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo',
    'codecommit://vouch@../demo',
    'codecommit://vouch@demo.git',
    'codecommit://vouch@demo%2f..%2fother',
    'codecommit::us-east-1.evil.example://vouch@demo',
    'codecommit://vouch@--upload-pack=id',
    'codecommit://nobody@demo',
  ])('%s is refused before AWS is asked', async (url) => {
    const before = sandbox.aws.log.length;
    const { code, stdout, stderr } = await git(['ls-remote', url]);
    expect([code, stdout]).toEqual([128, '']);
    expect(stderr).toMatch(/^vouch: [^\n]+\n {2}[^\n]+\n {2}[^\n]+\n/);
    expect(sandbox.aws.log.length).toBe(before);
  });

  test('other helpers and user names in the configuration change nothing, and store nothing', async () => {
    const store = join(sandbox.home, 'stored');
    const others = `store --file ${store}`;
    const url = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo';
    for (const [key, value] of [
      ['credential.helper', others],
      ['credential.username', 'bob'],
      [`credential.${url}.username`, 'prod'],
      [`credential.${url}.helper`, others],
      [`credential.${url}.useHttpPath`, 'false'],
    ] as const) {
      const file = join(sandbox.home, 'others.gitconfig');
      await succeed(['config', '--file', file, key, value]);
    }
    const env = { GIT_CONFIG_SYSTEM: join(sandbox.home, 'others.gitconfig') };
    const later = ['-c', 'credential.helper=', '-c', `credential.helper=${others}`, '-c', 'credential.username=bob'];
    for (const options of [[], later]) {
      const roles = await reached(() =>
        succeed([...options, 'ls-remote', 'codecommit::us-east-1://vouch@demo'], sandbox.home, env),
      );
      expect(roles).toEqual([`us-east-1 ${roleOf('us-east-1')}`]);
    }
    expect(existsSync(store)).toBe(false);
  });

  test.each([
    ['GIT_ALLOW_PROTOCOL=codecommit', [], { GIT_ALLOW_PROTOCOL: 'codecommit' }],
    ['protocol.allow=never for the rest', ['-c', 'protocol.allow=never', '-c', 'protocol.codecommit.allow=always'], {}],
  ])('works if Git allows only codecommit (%s)', async (_, options, env) => {
    await succeed([...options, 'ls-remote', 'codecommit://prod@demo'], sandbox.home, env);
  });
});

describe.sequential('submodules', () => {
  const parent = () => join(sandbox.home, 'parent');
  const env = { AWS_PROFILE: 'vouch' };

  test('are refused by Git itself until protocol.codecommit.allow is set', async () => {
    await succeed(['clone', '--quiet', 'codecommit://vouch@demo', 'parent']);
    const { code, stderr } = await git(['submodule', 'add', 'codecommit://vouch@library', 'library'], parent());
    expect(code).toBe(128);
    expect(stderr).toContain("transport 'codecommit' not allowed");
    await succeed(['config', '--global', 'protocol.codecommit.allow', 'always']);
  });

  test('clone and update, with absolute and relative URLs', async () => {
    await succeed(['submodule', '--quiet', 'add', 'codecommit::us-east-1://vouch@library', 'library'], parent());
    await succeed(['submodule', '--quiet', 'add', 'codecommit://prod@demo', 'prod'], parent());
    // `../library` beside codecommit://vouch@demo is codecommit://library: Git drops the profile too.
    await succeed(['submodule', '--quiet', 'add', '../library', 'relative'], parent(), env);
    await succeed(['commit', '--quiet', '-m', 'submodules'], parent());
    await succeed(['push', '--quiet'], parent(), env);

    await succeed(
      ['clone', '--quiet', '--recurse-submodules', 'codecommit::us-east-1://demo', 'all'],
      sandbox.home,
      env,
    );
    await succeed(['clone', '--quiet', 'codecommit://vouch@demo', 'later']);
    await succeed(['submodule', '--quiet', 'update', '--init'], join(sandbox.home, 'later'), env);
    for (const folder of ['all', 'later']) {
      const read = (name: string) => readFileSync(join(sandbox.home, folder, name, 'README'), 'utf8');
      expect([read('.'), read('library'), read('prod'), read('relative')]).toEqual([
        'vouch\n',
        'library\n',
        'prod\n',
        'library\n',
      ]);
    }
  });

  test('are fetched and pushed with their parent', async () => {
    const library = join(parent(), 'library');
    writeFileSync(join(library, 'README'), 'changed\n');
    await succeed(['commit', '--quiet', '--all', '-m', 'changed'], library);
    await succeed(['commit', '--quiet', '--all', '-m', 'with changed library'], parent());
    await succeed(['push', '--quiet', '--recurse-submodules=on-demand'], parent(), env);
    await succeed(['pull', '--quiet', '--recurse-submodules'], join(sandbox.home, 'all'), env);
    expect(readFileSync(join(sandbox.home, 'all/library/README'), 'utf8')).toBe('changed\n');
  });
});

function roleOf(region: string): string {
  return roles[region] ?? '';
}
