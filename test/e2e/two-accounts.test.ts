import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostKind, hostOf, repositoryUrl } from '../aws/hosts.ts';
import { addChainedRole, addProfile, type DeveloperAccount, forgetDefault } from '../sandbox/accounts.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const region = 'us-east-1';
/** This URL names a different repository in each of three accounts. */
const url = repositoryUrl(region, 'demo');
const as = (profile: string, to = url) => to.replace('https://', `https://${profile}@`);

let sandbox: Sandbox;
/** For each profile: the text in its repository, and its role. */
const repositories = new Map<string, { text: string; role: string }>();

beforeAll(async () => {
  sandbox = await startSandbox({ files: { README: 'first\n' } });
  const { first } = sandbox;
  const prod = await sandbox.addAccount('210987654321', { region, profile: 'prod', files: { README: 'second\n' } });
  await forgetDefault(sandbox.home);
  const third = sandbox.aws.addAccount('310987654321');
  await sandbox.aws.createRepository({ name: 'demo', region, account: third.id, files: { README: 'third\n' } });
  const chained = addChainedRole(first, third, 'Deployer');
  await addProfile(sandbox.home, 'chained', { role_arn: chained.arn, source_profile: 'vouch', region });
  repositories.set('vouch', { text: 'first\n', role: first.role.arn });
  repositories.set('prod', { text: 'second\n', role: prod.role.arn });
  repositories.set('chained', { text: 'third\n', role: chained.arn });
  // Writes the profiles' names into Git's configuration.
  await sandbox.succeed('vouch', ['setup', 'codecommit']);
  await sandbox.succeed('vouch', ['login']);
});
afterAll(() => sandbox?.close());

/** The roles whose sessions reached CodeCommit since the log had this many entries. */
const rolesSince = (before: number) => [
  ...new Set(sandbox.aws.log.slice(before).flatMap(({ service, role }) => (service === 'codecommit' && role) || [])),
];

const readme = (folder: string) => readFile(join(sandbox.home, folder, 'README'), 'utf8');

test('an agent whose files an upgrade has taken away says so', async () => {
  // The chained role is the first thing for which it loads more.
  const files = join(sandbox.folder, 'package/dist/cli/agent');
  await rename(files, `${files}.away`);
  try {
    const refused = await sandbox.run('git', ['ls-remote', 'codecommit://chained@demo']);
    expect(refused).toMatchObject({
      code: 128,
      stderr: expect.stringContaining('Run `vouch agent stop` and `vouch login`'),
    });
  } finally {
    await rename(`${files}.away`, files);
  }
});

/** Clones, pushes and fetches, and checks that the push has arrived. */
async function useRepository(remote: string, folder: string, text: string): Promise<void> {
  await sandbox.succeed('git', ['clone', '--quiet', remote, folder]);
  expect(await readme(folder)).toBe(text);
  const cwd = join(sandbox.home, folder);
  const subject = `from ${folder}`;
  await sandbox.succeed('git', ['commit', '--quiet', '--allow-empty', '-m', subject], { cwd });
  await sandbox.succeed('git', ['push', '--quiet', 'origin', `HEAD:refs/heads/${folder}`], { cwd });
  await sandbox.succeed('git', ['fetch', '--quiet', '--prune'], { cwd });
  const log = await sandbox.succeed('git', ['log', '-1', '--format=%s', `origin/${folder}`], { cwd });
  expect(log.stdout).toBe(`${subject}\n`);
}

describe.sequential('one repository name in three accounts', () => {
  test('without a profile, the refusal lists the profiles and their roles, and STS is not asked', async () => {
    const before = sandbox.aws.log.length;
    const refused = await sandbox.run('git', ['ls-remote', url]);
    expect(refused.code).toBe(128);
    for (const [name, { role }] of repositories) {
      expect(refused.stderr).toContain(name);
      expect(refused.stderr).toContain(role);
    }
    expect(sandbox.aws.log.slice(before).filter(({ service }) => service === 'sts')).toEqual([]);
  });

  test.each(['vouch', 'prod', 'chained'])('https: the user name in the URL is the profile: %s', async (profile) => {
    const { text = '', role = '' } = repositories.get(profile) ?? {};
    const before = sandbox.aws.log.length;
    await useRepository(as(profile), `https-${profile}`, text);
    expect(rolesSince(before)).toEqual([role]);
  });

  test.each(['vouch', 'prod', 'chained'])('codecommit: the profile before the @: %s', async (profile) => {
    const { text = '', role = '' } = repositories.get(profile) ?? {};
    const before = sandbox.aws.log.length;
    await useRepository(`codecommit::${region}://${profile}@demo`, `scheme-${profile}`, text);
    expect(rolesSince(before)).toEqual([role]);
  });

  test('a chained role has the person’s source identity, and STS’s log names the caller', async () => {
    const chained = sandbox.aws.log.filter(({ action }) => action === 'AssumeRole');
    expect(chained.at(-1)).toMatchObject({
      outcome: 'OK',
      role: repositories.get('chained')?.role,
      sourceIdentity: 'alice@example.com',
      caller: 'arn:aws:sts::123456789012:assumed-role/VouchDeveloper/alice@example.com',
      region,
    });
  });

  test.each(['vouch', 'prod', 'chained'])('AWS_PROFILE names the profile: %s', async (profile) => {
    const { text = '', role = '' } = repositories.get(profile) ?? {};
    const before = sandbox.aws.log.length;
    const folder = `environment-${profile}`;
    await sandbox.succeed('env', [`AWS_PROFILE=${profile}`, 'git', 'clone', '--quiet', url, folder]);
    expect(await readme(folder)).toBe(text);
    expect(rolesSince(before)).toEqual([role]);
  });

  test('a section of Git’s configuration names the profile for one repository, and a user name in the URL overrides it', async () => {
    await sandbox.aws.createRepository({
      name: 'other',
      region,
      account: '310987654321',
      files: { README: 'other\n' },
    });
    const other = repositoryUrl(region, 'other');
    const named = ['setup', 'codecommit', '--profile', 'chained', '--url', other];
    await sandbox.succeed('vouch', named);
    await useRepository(other, 'section', 'other\n');
    expect(await sandbox.run('git', ['ls-remote', url])).toMatchObject({ code: 128 });
    const before = sandbox.aws.log.length;
    expect(await sandbox.run('git', ['ls-remote', as('prod', other)])).toMatchObject({ code: 128 });
    expect(rolesSince(before)).toEqual([repositories.get('prod')?.role]);
    await sandbox.succeed('vouch', [...named, '--remove']);
    expect(await sandbox.run('git', ['ls-remote', other])).toMatchObject({ code: 128 });
  });

  // The chained role may use every repository of its account: 403 would mean a bad signature, and 404 means an unknown name.
  test.each<[string, string, number, string]>([
    ['a slash at its end', `${url}/`, 0, 'OK'],
    ['the port', url.replace('.com/', '.com:443/'), 0, 'OK'],
    ['capitals in the host', url.replace('git-codecommit', 'GIT-CodeCommit'), 0, 'OK'],
    ['percent-encoded letters', url.replace('/demo', '/d%65m%6f'), 0, 'OK'],
    ['a space', url.replace('/demo', '/my%20demo'), 128, 'RepositoryDoesNotExistException'],
    ['a plus sign', url.replace('/demo', '/c++%2B'), 128, 'RepositoryDoesNotExistException'],
    ['an apostrophe and an asterisk', url.replace('/demo', "/it's*"), 128, 'RepositoryDoesNotExistException'],
    ['letters beyond ASCII', url.replace('/demo', '/d%C3%A9mo'), 128, 'RepositoryDoesNotExistException'],
    ['a percent sign', url.replace('/demo', '/100%25'), 128, 'RepositoryDoesNotExistException'],
    ['.git at its end', `${url}.git`, 128, 'RepositoryDoesNotExistException'],
  ])('a URL with %s is signed as it was sent', async (_name, to, code, outcome) => {
    const ran = await sandbox.run('git', ['ls-remote', as('chained', to)]);
    expect({ ...ran, outcome: sandbox.aws.log.at(-1)?.outcome }).toMatchObject({ code, outcome });
  });

  test('40 Git processes at once, with mixed profiles: each gets the session of its own account', async () => {
    // A new session: the agent holds no AWS credentials.
    await sandbox.succeed('vouch', ['logout']);
    await sandbox.succeed('vouch', ['login']);
    const before = sandbox.aws.log.length;
    const commands = [...repositories.keys()].flatMap((profile) => [
      { profile, args: ['ls-remote', as(profile), 'HEAD'] },
      { profile, args: ['ls-remote', `codecommit::${region}://${profile}@demo`, 'HEAD'] },
      { profile, args: ['ls-remote', url, 'HEAD'], env: `AWS_PROFILE=${profile}` },
    ]);
    const heads = new Map<string, string>();
    for (const profile of repositories.keys()) {
      const cwd = join(sandbox.home, `https-${profile}`);
      heads.set(profile, (await sandbox.succeed('git', ['rev-parse', 'origin/main'], { cwd })).stdout.trim());
    }
    expect(new Set(heads.values()).size).toBe(3);
    const runs = Array.from({ length: 40 }, async (_, i) => {
      const { profile, args, env = 'LANG=C' } = commands[i % commands.length] as (typeof commands)[number];
      const client = `http.userAgent=${i}-${profile}`;
      const ran = await sandbox.run('env', [env, 'git', '-c', client, ...args]);
      return { ...ran, profile };
    });
    for (const { code, stdout, stderr, profile } of await Promise.all(runs)) {
      expect({ code, stderr, head: stdout.split('\t')[0] }).toEqual({ code: 0, stderr: '', head: heads.get(profile) });
    }
    const served = sandbox.aws.log.slice(before).filter(({ service, role }) => service === 'codecommit' && role);
    expect(new Set(served.map(({ client }) => client)).size).toBe(40);
    for (const { client, role, outcome } of served) {
      const [, profile = ''] = client?.split('-') ?? [];
      expect({ client, role, outcome }).toEqual({ client, role: repositories.get(profile)?.role, outcome: 'OK' });
    }
    // Each role was assumed again, and the chained one through its own source. (On a busy machine there may be repetitions;
    // first-day.test.ts counts them.)
    const asked = sandbox.aws.log.slice(before).filter(({ service }) => service === 'sts');
    expect(new Set(asked.map(({ action, role, outcome }) => `${action} ${role} ${outcome}`))).toEqual(
      new Set([
        `AssumeRoleWithWebIdentity ${repositories.get('vouch')?.role} OK`,
        `AssumeRoleWithWebIdentity ${repositories.get('prod')?.role} OK`,
        `AssumeRole ${repositories.get('chained')?.role} OK`,
      ]),
    );
  });
});

describe.sequential('every family of hosts', () => {
  const endpoint = 'vpce-0b47ea360adebf88a-jkl88hez';
  const accounts = new Map<string, DeveloperAccount>();

  beforeAll(async () => {
    for (const [profile, id, partition] of [
      ['gov', '410987654321', 'aws-us-gov'],
      ['china', '510987654321', 'aws-cn'],
      ['eusc', '610987654321', 'aws-eusc'],
    ] as const) {
      const files = { README: `${profile}\n` };
      accounts.set(profile, await sandbox.addAccount(id, { partition, profile, files }));
    }
    accounts.set('vouch', sandbox.first);
    await sandbox.succeed('vouch', ['setup', 'codecommit']);
  });

  test.each<[string, string, HostKind]>([
    ['FIPS', 'vouch', { fips: true }],
    ['PrivateLink', 'vouch', { endpoint }],
    ['PrivateLink in one zone, FIPS', 'vouch', { endpoint: `${endpoint}-us-east-1a`, fips: true }],
    ['GovCloud', 'gov', {}],
    ['GovCloud, FIPS', 'gov', { fips: true }],
    ['China', 'china', {}],
    ['China, PrivateLink', 'china', { endpoint }],
    ['the European Sovereign Cloud', 'eusc', {}],
    ['the European Sovereign Cloud, PrivateLink', 'eusc', { endpoint }],
  ])('%s (profile %s)', async (name, profile, kind) => {
    const { region = '', role } = accounts.get(profile) ?? {};
    const text = profile === 'vouch' ? 'first\n' : `${profile}\n`;
    const before = sandbox.aws.log.length;
    await useRepository(as(profile, repositoryUrl(region, 'demo', kind)), name.replace(/\W+/g, '-'), text);
    expect(rolesSince(before)).toEqual([role?.arn]);
    const hosts = sandbox.aws.log.slice(before).flatMap(({ host }) => host ?? []);
    expect(new Set(hosts)).toEqual(new Set([hostOf(region, kind)]));
  });

  test.each(['gov', 'china', 'eusc'])('codecommit: in the region of the profile %s', async (profile) => {
    await useRepository(`codecommit://${profile}@demo`, `scheme-${profile}`, `${profile}\n`);
  });

  test.each([
    ['china', 'us-east-1'],
    ['vouch', 'cn-north-1'],
    ['gov', 'us-east-1'],
    ['vouch', 'us-gov-west-1'],
    ['vouch', 'eusc-de-east-1'],
  ])(
    'the role of profile %s is refused for %s before any call to AWS; the refusal names both',
    async (profile, elsewhere) => {
      const before = sandbox.aws.log.length;
      const host = hostOf(elsewhere);
      const input = `url=${as(profile, repositoryUrl(elsewhere, 'demo'))}\n\n`;
      const refused = await sandbox.run('git', ['credential', 'fill'], { input });
      expect(refused).toMatchObject({ code: 128, stdout: '' });
      expect(refused.stderr).toContain(host);
      expect(refused.stderr).toContain(accounts.get(profile)?.role.arn);
      expect(sandbox.aws.log.slice(before)).toEqual([]);
    },
  );
});
