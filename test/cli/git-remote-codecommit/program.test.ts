import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findOnPath } from '../../../cli/files/on-path.ts';
import { credentialHelperScript, programFile } from '../../../cli/programs.ts';
import { type Finished, type Machine, machine, root, run } from '../support.ts';

const prod = 'arn:aws:iam::111111111111:role/Prod';
const dev = 'arn:aws:iam::222222222222:role/Dev';
const plain = (region: string, repository = 'demo') =>
  `https://git-codecommit.${region}.amazonaws.com/v1/repos/${repository}`;

const ourRemoteHelper = programFile('git-remote-codecommit');

interface Prepared extends Machine {
  /** The arguments of Git's helper for HTTPS, once it was started. */
  args(): string[];
  setting(name: string): string[];
  environment(): Record<string, string>;
  remote(url: string, env?: NodeJS.ProcessEnv, input?: string): Promise<Finished>;
}

/** A machine whose `git remote-https` records its arguments, then copies its input to its output. */
function prepared(awsConfig = ''): Prepared {
  const the = machine();
  const real = findOnPath('git', process.env)[0];
  const [args, env] = [join(the.folder, 'args'), join(the.folder, 'env')];
  const git = join(the.folder, 'bin/git');
  writeFileSync(
    git,
    `#!/bin/sh
for word; do
  if [ "$word" = remote-https ]; then
    printf '%s\\0' "$@" >'${args}'
    env -0 >'${env}'
    echo on stderr >&2
    cat
    exit \${STATUS:-0}
  fi
done
exec '${real}' "$@"
`,
  );
  chmodSync(git, 0o755);
  const file = join(the.env.HOME ?? '', '.aws/config');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, awsConfig);
  const words = (path: string) => readFileSync(path, 'utf8').split('\0').slice(0, -1);
  const environment = () => Object.fromEntries(words(env).map((line) => /^([^=]*)=(.*)$/s.exec(line)?.slice(1) ?? []));
  return {
    ...the,
    args: () => words(args),
    environment,
    setting: (name) => {
      const found = environment();
      return Array.from({ length: Number(found.GIT_CONFIG_COUNT) }, (_, i) => i)
        .filter((i) => found[`GIT_CONFIG_KEY_${i}`]?.endsWith(`.${name}`))
        .map((i) => found[`GIT_CONFIG_VALUE_${i}`] ?? '');
    },
    remote: (url, more = {}, input = '') =>
      run(process.execPath, [ourRemoteHelper, 'origin', url], { ...the.env, ...more }, input),
  };
}

const vouchProfile = (name: string, role: string, region?: string) =>
  `[profile ${name}]\ncredential_process = vouch credential aws --role ${role}\n${region ? `region = ${region}\n` : ''}`;
const two = vouchProfile('prod', prod, 'eu-west-1') + vouchProfile('dev', dev, 'eu-central-1');

describe('git-remote-codecommit', () => {
  test('becomes Git’s own helper for HTTPS, with the plain URL', async () => {
    const the = prepared();
    const finished = await the.remote('eu-west-1://demo', {}, 'capabilities\n\nlist\n');
    // Standard input, output and error are unchanged, and Node prints no warning of an experimental feature.
    expect(finished).toEqual({ code: 0, stdout: 'capabilities\n\nlist\n', stderr: 'on stderr\n' });
    expect(the.args()).toEqual(['remote-https', 'origin', plain('eu-west-1')]);
    expect(the.environment()).toMatchObject({ ...the.env, GIT_ALLOW_PROTOCOL: 'https', GIT_CONFIG_COUNT: '4' });
    expect(the.setting('useHttpPath')).toEqual(['true']);
    expect(the.setting('proactiveAuth')).toEqual(['basic']);
    expect(the.setting('username')).toEqual([]);
    expect(the.setting('helper')).toEqual(['', `!${credentialHelperScript()} --node ${process.execPath}`]);
    expect(existsSync(credentialHelperScript())).toBe(true);
  });

  test('as built, it reads a heading of the AWS config as AWS CLI does', async () => {
    const spaced = two.replace('[profile prod]', '[profile   prod ]').replace('[profile dev]', '[profile "dev"]');
    for (const [name, region] of [
      ['prod', 'eu-west-1'],
      ['dev', 'eu-central-1'],
    ] as const) {
      const the = prepared(spaced);
      expect((await the.remote(`codecommit://${name}@demo`)).code).toBe(0);
      expect(the.args()[2]).toContain(`git-codecommit.${region}.amazonaws.com/v1/repos/demo`);
    }
  });

  test('ends as it ends', async () => {
    expect(await prepared().remote('eu-west-1://demo', { STATUS: '42' })).toMatchObject({ code: 42 });
  });

  test('adds to the settings that Git has in its environment', async () => {
    const the = prepared();
    const env = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'credential.helper', GIT_CONFIG_VALUE_0: 'store' };
    await the.remote('eu-west-1://demo', env);
    expect(the.environment()).toMatchObject({ GIT_CONFIG_COUNT: '5', GIT_CONFIG_KEY_0: 'credential.helper' });
    expect(the.setting('helper').slice(0, 2)).toEqual(['store', '']);
    expect(the.args()[0]).toBe('remote-https');
  });

  test('repeats its settings on the command line when Git has settings from there, which come later', async () => {
    const the = prepared();
    await the.remote('eu-west-1://demo', { GIT_CONFIG_PARAMETERS: "'credential.helper'=''" });
    expect(the.args().slice(0, 4)).toEqual([
      '-c',
      `credential.${plain('eu-west-1')}.helper=`,
      '-c',
      `credential.${plain('eu-west-1')}.helper=!${credentialHelperScript()} --node ${process.execPath}`,
    ]);
    expect(the.args().slice(-3)).toEqual(['remote-https', 'origin', plain('eu-west-1')]);
  });

  test.each(['x', '-1', '1e3', '99999999999'])('refuses GIT_CONFIG_COUNT=%s, as Git does', async (count) => {
    const { code, stderr } = await prepared(two).remote('eu-west-1://prod@demo', { GIT_CONFIG_COUNT: count });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`vouch: GIT_CONFIG_COUNT is not a number: ${count}\n`)]);
  });

  test('passes the host that CODE_COMMIT_ENDPOINT names, whose region counts where none is named', async () => {
    const the = prepared();
    const CODE_COMMIT_ENDPOINT = 'vpce-1.git-codecommit.eu-west-1.vpce.amazonaws.com';
    await the.remote('codecommit://demo', { CODE_COMMIT_ENDPOINT });
    expect(the.args()[2]).toBe(`https://${CODE_COMMIT_ENDPOINT}/v1/repos/demo`);
    const refused = await the.remote('codecommit://demo', { CODE_COMMIT_ENDPOINT, AWS_REGION: 'us-east-1' });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('in eu-west-1, but the repository is in us-'),
    });
  });

  test.each([
    ['boom', 'The following URL is malformed: boom'],
    ['xx-yy-1z://demo', 'The following AWS Region is not available for use with AWS CodeCommit: xx-yy-1z.'],
    ['eu-west-1://demo.git', 'This is not the name of a CodeCommit repository: demo.git'],
    ['eu-west-1://nope@demo', 'The following profile was not found: nope.'],
    ['eu-west-1://\u001b[31mred@demo', 'The following profile was not found:  [31mred.'],
  ])('says what is wrong with %j and what to do, and no stack', async (url, what) => {
    const { code, stdout, stderr } = await prepared(two).remote(url);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.split('\n')).toEqual([
      `vouch: ${what}`,
      expect.stringMatching(/^ {2}/),
      expect.stringMatching(/^ {2}/),
      '',
    ]);
  });

  test('lists the available profiles', async () => {
    const { stderr } = await prepared(`${two}[profile sso]\nregion = eu-west-1\n`).remote('codecommit://sso@demo');
    expect(stderr).toContain(`Available profiles are: prod (${prod}), dev (${dev}).`);
  });

  test.each([
    [[], 'Too few arguments.', 2],
    [['origin'], 'Too few arguments.', 2],
    [['origin', 'codecommit://demo', 'x'], 'Too many arguments.', 2],
    [['--help'], '', 0],
    [['-h'], '', 0],
    [['--version'], '', 0],
  ])('run with %j says what it is', async (args, what, status) => {
    const { code, stdout, stderr } = await run(process.execPath, [ourRemoteHelper, ...args], machine().env);
    expect(code).toBe(status);
    expect(stderr.startsWith(what ? `vouch: ${what}` : '')).toBe(true);
    expect(`${stdout}${stderr}`).toMatch(
      /git-remote-codecommit \d+\.\d+\.\d+, of Vouch[\s\S]*codecommit::us-east-1:\/\/rep/,
    );
  });

  test('without Git says so', async () => {
    const the = prepared();
    const { code, stderr } = await the.remote('eu-west-1://demo', { PATH: join(the.folder, 'home') });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^vouch: Git is not on your PATH\./)]);
  });
});

test('without Node, Git ends with a sentence that says so', async () => {
  const the = machine();
  // The built program, up to where Node would begin.
  const built = join(the.folder, 'bin/git-remote-codecommit');
  copyFileSync(join(root, 'program-start.sh'), built);
  chmodSync(built, 0o755);
  const git = findOnPath('git', process.env)[0] ?? '';
  const env = { ...the.env, PATH: join(the.folder, 'bin') };
  const { code, stderr } = await run(git, ['ls-remote', 'codecommit::us-east-1://demo'], env);
  // 128, or none if Git wrote to a helper that had ended (SIGPIPE).
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/^vouch: Node\.js is not on the PATH.*\n {2}Add it \(Vouch needs Node 24 or newer\)/);
});

describe('the region', () => {
  const usual = '[default]\nregion = ap-south-1\n';
  const everywhere = { AWS_REGION: 'us-west-1', AWS_DEFAULT_REGION: 'us-west-2' };

  test.each([
    ['the URL', 'us-east-2://demo', vouchProfile('vouch', dev, 'eu-west-1') + usual, everywhere, 'us-east-2'],
    ['the URL, with a profile', 'us-east-2://prod@demo', two + usual, everywhere, 'us-east-2'],
    ['the profile in the URL', 'codecommit://prod@demo', two + usual, everywhere, 'eu-west-1'],
    ['the only profile', 'codecommit://demo', vouchProfile('x', dev, 'eu-west-1') + usual, everywhere, 'eu-west-1'],
    ['AWS_PROFILE', 'codecommit://demo', two + usual, { ...everywhere, AWS_PROFILE: 'dev' }, 'eu-central-1'],
    ['AWS_REGION', 'codecommit://demo', two + usual, everywhere, 'us-west-1'],
    ['AWS_REGION', 'codecommit://x@demo', vouchProfile('x', dev) + usual, everywhere, 'us-west-1'],
    ['AWS_REGION', 'codecommit://demo', usual, { ...everywhere, AWS_PROFILE: 'nope' }, 'us-west-1'],
    [
      'AWS_DEFAULT_REGION',
      'codecommit://demo',
      two + usual,
      { AWS_REGION: '', AWS_DEFAULT_REGION: 'us-west-2' },
      'us-west-2',
    ],
    ['the profile default', 'codecommit://demo', two + usual, {}, 'ap-south-1'],
    ['the profile default', 'codecommit://x@demo', usual + vouchProfile('x', dev), {}, 'ap-south-1'],
  ])('is that of %s: %s', async (_, url, config, env, region) => {
    const the = prepared(config);
    expect(await the.remote(url, env)).toMatchObject({ code: 0 });
    expect(the.args()[2]).toBe(plain(region));
  });

  test.each([
    ['no profile at all', 'codecommit://demo', '', 'The AWS Region of the repository demo is not known.'],
    ['two that could serve', 'codecommit://demo', two, 'The AWS Region of the repository demo is not known.'],
    [
      'one without a region',
      'codecommit://demo',
      vouchProfile('x', dev),
      'The following profile does not have an AWS Region: x.',
    ],
    [
      'one in the URL without a region',
      'codecommit://x@demo',
      vouchProfile('x', dev),
      'The following profile does not have an AWS Region: x.',
    ],
  ])('is never guessed, with %s', async (_, url, config, what) => {
    const the = prepared(config);
    const { code, stdout, stderr } = await the.remote(url);
    expect([code, stdout, stderr.split('\n')[0]]).toEqual([1, '', `vouch: ${what}`]);
    expect(stderr).toContain(url.replace('codecommit:', 'codecommit::us-east-1:'));
    expect(existsSync(join(the.folder, 'args'))).toBe(false);
  });

  test('that does not exist is reported with its source', async () => {
    const config = `${vouchProfile('x', dev, 'eu_west_1')}[default]\nregion = nowhere\n`;
    const say = async (url: string, env = {}) => (await prepared(config).remote(url, env)).stderr;
    expect(await say('codecommit://x@demo')).toMatch(/: eu_west_1\.\n {2}The AWS profile x names it/);
    const other = await prepared('[default]\nregion = nowhere\n').remote('codecommit://demo');
    expect(other.stderr).toMatch(/: nowhere\.\n {2}The AWS profile default names it/);
    const third = await prepared().remote('codecommit://demo', { AWS_REGION: 'evil.example/' });
    expect(third.stderr).toMatch(/: evil\.example\/\.\n {2}AWS_REGION names it/);
  });
});

describe('the profile', () => {
  test('in the URL counts before any that Git’s configuration names', async () => {
    const the = prepared(vouchProfile('alice@example.com', prod, 'eu-west-1'));
    await the.remote('codecommit://alice@example.com@demo');
    // The user name beats --profile, and of several names the last one counts.
    expect(the.setting('username')).toEqual(['alice@example.com']);
  });

  test('and the region come from one AWS config, and never from one that a relative path names', async () => {
    const the = prepared(vouchProfile('prod', prod, 'eu-west-1'));
    const file = join(the.folder, 'other-config');
    writeFileSync(file, vouchProfile('prod', prod, 'us-west-2'));
    await the.remote('codecommit://prod@demo', { AWS_CONFIG_FILE: file });
    expect(the.args()[2]).toBe(plain('us-west-2'));
    await the.remote('codecommit://prod@demo', { AWS_CONFIG_FILE: relative(the.env.HOME ?? '', file) });
    expect(the.args()[2]).toBe(plain('eu-west-1'));
  });

  test('that Git’s configuration names for the repository stays, and so does its region', async () => {
    const the = prepared(two);
    const section = (url: string) => ['config', '--global', '--add', `credential.${url}.helper`];
    await run('git', [...section('https://git-codecommit.*.amazonaws.com'), 'vouch --profile prod'], the.env);
    for (const [url, env, region] of [
      ['us-east-1://demo', {}, 'us-east-1'],
      ['codecommit://demo', { AWS_PROFILE: 'dev' }, 'eu-west-1'],
    ] as const) {
      await the.remote(url, env);
      expect(the.args()[2]).toBe(plain(region));
      expect(the.setting('helper').at(-1)).toBe(
        `!${credentialHelperScript()} --node ${process.execPath} --profile prod`,
      );
    }
    // dev's region leads to prod, and prod's region to dev.
    await run('git', [...section(plain('eu-west-1')), ''], the.env);
    await run('git', [...section(plain('eu-west-1')), 'vouch --profile dev'], the.env);
    expect(await the.remote('codecommit://demo', { AWS_PROFILE: 'dev' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('vouch: The AWS Region of the repository demo is not clear.\n'),
    });
  });
});

describe('when Node cannot replace a process', () => {
  const start = (the: Prepared) => {
    const without = `data:text/javascript,process.execve=undefined`;
    const args = ['--import', without, ourRemoteHelper, 'origin', 'eu-west-1://demo'];
    return spawn(process.execPath, args, { env: { ...the.env, STATUS: '7' } });
  };

  test('Git’s helper is a child with our streams and status', async () => {
    const the = prepared();
    const child = start(the);
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stdin.end('list\n');
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, output]).toEqual([7, 'list\n']);
  });

  test('a signal goes through, and ends both', async () => {
    const the = prepared();
    const child = start(the);
    // Once it has printed something, it runs.
    await new Promise((resolve) => child.stderr.once('data', resolve));
    child.kill('SIGTERM');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(128 + constants.signals.SIGTERM);
  });
});
