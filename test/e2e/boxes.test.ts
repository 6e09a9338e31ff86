import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listLends } from '../../cli/agent/client/lend-requests.ts';
import { startWorld, type World } from '../chaos/world.ts';
import { installHelper, root, run } from '../cli/support.ts';
import { codeBlocks, readDocument } from '../support/document.ts';

/** Programs and containers that have a lend: what they reach, and what they do not. */

let world: World;
/** The environment of a shell in which everything is set up. */
let env: Record<string, string>;
let home: string;
const host = 'https://git-codecommit.us-east-1.amazonaws.com';
const url = (name: string) => `${host}/v1/repos/${name}`;

beforeAll(async () => {
  world = await startWorld(1);
  for (const name of ['demo', 'other']) await world.aws.createRepository({ name });
  await world.logIn();
  home = world.env.HOME ?? '';
  const bin = join(home, '../bin');
  mkdirSync(bin);
  const program = (name: string, ...args: string[]) =>
    writeFileSync(join(bin, name), `#!/bin/sh\nexec '${args.join("' '")}' "$@"\n`, { mode: 0o755 });
  program('vouch', process.execPath, join(root, 'cli/vouch/main.ts'));
  program('git-remote-codecommit', process.execPath, join(root, 'cli/git-remote-codecommit/main.ts'));
  program('docker', process.execPath, join(root, 'test/cli/box/engine.ts'));
  installHelper({ folder: join(home, '..'), env: world.env, agentSocket: '', gitSocket: '' });
  env = { ...world.env, PATH: [bin, world.env.PATH].join(delimiter), ENGINE_LOG: join(home, '../engine.log') };
  const settings = [
    ...world.aws.gitConfig,
    ['user.name', 'Alice'],
    ['user.email', 'alice@example.com'],
    ['init.defaultBranch', 'main'],
  ];
  for (const [name = '', value = ''] of settings) await succeed('git', 'config', '--global', name, value);
  await succeed('vouch', 'setup', 'codecommit');
  await succeed('vouch', 'config', 'set', 'server', `http://localhost:${world.server.link.port}`);
  await succeed(
    'sh',
    '-c',
    `git clone -q ${url('demo')} seed && cd seed && git commit -q --allow-empty -m first && git push -q origin HEAD:main`,
  );
});
afterAll(() => world?.close());

const vouch = (...args: string[]) => run('vouch', args, env);
const lend = (...args: string[]) => vouch('lend', ...args);

async function succeed(file: string, ...args: string[]) {
  const done = await run(file, args, env);
  expect(done).toMatchObject({ code: 0 });
  return done;
}

const lends = async () => (await listLends(env)).lends;

test('a program that is lent a repository pulls and pushes there, and gets nothing else', async () => {
  const script = `set -x
    git clone -q ${url('demo')} exec-demo && cd exec-demo && git commit -q --allow-empty -m lent && git push -q origin HEAD:main || exit 9
    git ls-remote ${url('other')} && exit 10
    exit 42`;
  const done = await lend('exec', '--repo', 'demo', '--', 'sh', '-c', script);
  expect(done.stderr).toMatch(
    /^vouch: Lent to sh until \d\d:\d\d: demo, pull and push \(profile role1\)\. `vouch lend end \w+` ends it\.\n/,
  );
  expect(done).toMatchObject({ code: 42, stdout: '' });
  expect(await lends()).toEqual([]);
  expect(readdirSync(join(env.XDG_RUNTIME_DIR ?? '', 'vouch')).filter((name) => /box|lend/.test(name))).toEqual([
    'lends',
  ]);
});

test('codecommit:// addresses work in a program with a lend as they do outside', async () => {
  const script = 'git ls-remote codecommit::us-east-1://demo HEAD || exit 9; git ls-remote codecommit://demo HEAD';
  const caller = { ...env, AWS_REGION: 'us-east-1' };
  const done = await run('vouch', ['lend', 'exec', '-q', '--repo', 'demo', '--', 'sh', '-c', script], caller);
  expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/^([0-9a-f]{40}\tHEAD\n){2}$/), stderr: '' });
});

test('with --pull-only, AWS refuses the push', async () => {
  const script = `git clone -q ${url('demo')} exec-pull && cd exec-pull && git commit -q --allow-empty -m lent && git push -q origin HEAD:main`;
  const done = await lend('exec', '--repo', 'demo', '--pull-only', '--', 'sh', '-c', script);
  expect(done).toMatchObject({ code: 128, stdout: '' });
  expect(done.stderr).toContain('The requested URL returned error: 403');
  expect(world.aws.log.at(-1)).toMatchObject({ action: 'GitPush', outcome: 'AccessDeniedException' });
});

test('without --repo it says that this is every repository, and with --quiet nothing', async () => {
  const all = await lend('exec', '--', 'true');
  expect(all.stderr).toMatch(
    /: every repository of 123456789012, pull and push .*\n {2}Name repositories with --repo to lend less\.\n$/,
  );
  expect(await lend('exec', '--quiet', '--', 'true')).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('a program with a lend reaches no session by Vouch’s own commands', async () => {
  const before = world.aws.log.length;
  const role = world.roles[0]?.arn ?? '';
  const asked = ['status', 'login', 'agent stop', 'doctor', `credential aws --role ${role}`];
  const script = asked.map((command) => `vouch ${command}; echo $? >&2`).join('\n');
  const done = await lend('exec', '--quiet', '--repo', 'demo', '--', 'sh', '-c', script);
  const refusal = `vouch: This program has only what \`vouch lend\` has given it.
  Until TIME that is: demo, pull and push.
  Run this where you have signed in, outside of that program.
5
`;
  expect(done).toMatchObject({ code: 0, stdout: '' });
  expect(done.stderr.replaceAll(/\d\d:\d\d/g, 'TIME')).toBe(refusal.repeat(asked.length));
  // Only the lend itself got credentials, when it began.
  expect(world.aws.log.slice(before).map(({ action }) => action)).toEqual(['AssumeRoleWithWebIdentity']);
  expect((await vouch('status')).code).toBe(0);
});

test('a program with a lend has AWS variables of its own, and none of Vouch’s', async () => {
  const caller = { ...env, AWS_ACCESS_KEY_ID: 'AKIAOTHER', AWS_PROFILE: 'role1', VOUCH_SESSION: 'yes' };
  const names = async (...options: string[]) => {
    const done = await run('vouch', ['lend', 'exec', '-q', '--repo', 'demo', ...options, '--', 'env'], caller);
    return done.stdout.match(/^(AWS|VOUCH)_\w+/gm)?.sort();
  };
  const always = ['AWS_CONFIG_FILE', 'AWS_EC2_METADATA_DISABLED', 'AWS_SHARED_CREDENTIALS_FILE'];
  const endpoint = ['AWS_CONTAINER_AUTHORIZATION_TOKEN', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  expect(await names()).toEqual(always);
  expect(await names('--aws')).toEqual([...always, ...endpoint].sort());
});

/** A program with a lend that has begun, and ends with its standard input. */
async function running() {
  const child = spawn('vouch', ['lend', 'exec', '--repo', 'demo', '--', 'sh', '-c', 'echo begun; cat'], {
    env,
    cwd: home,
  });
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += text));
  await once(child.stdout, 'data');
  return { child, said: () => stderr, closed: once(child, 'close') };
}

test('the lend ends when vouch is killed', async () => {
  const { child, closed } = await running();
  expect(await lends()).toHaveLength(1);
  child.kill('SIGKILL');
  while ((await lends()).length > 0);
  child.stdin.end();
  await closed;
});

test('nothing is lent to a program that is not there', async () => {
  expect(await lend('exec', '--', 'no-such-program')).toEqual({
    code: 127,
    stdout: '',
    stderr:
      'vouch: There is no program no-such-program on the PATH.\n  Check its name; the program and its arguments follow after `--`.\n',
  });
});

test('SIGTERM ends the program and the lend', async () => {
  const { child, closed } = await running();
  child.kill('SIGTERM');
  expect(await closed).toEqual([143, null]);
  expect(await lends()).toEqual([]);
});

test('a program that outlives its lend goes on, and is told', async () => {
  const { child, said, closed } = await running();
  const [{ name = '' } = {}] = await lends();
  await succeed('vouch', 'lend', 'end', name);
  child.stdin.end();
  expect(await closed).toEqual([0, null]);
  expect(said()).toContain(`vouch: The lend ${name} was over before sh was: it was ended.\n`);
});

const setting = (end: string) => world.aws.gitConfig.find(([name]) => name.endsWith(end))?.[1] ?? '';

/** What a container needs to reach the local AWS: its proxy and its authority. A real one finds AWS by itself. */
function toAws(): string[] {
  const authority = `type=bind,source=${setting('.sslCAInfo')},target=/run/ca.pem`;
  const variables = [`HTTPS_PROXY=${setting('.proxy')}`, 'GIT_SSL_CAINFO=/run/ca.pem'];
  return ['--mount', authority, ...variables.flatMap((variable) => ['--env', variable])];
}

const who = 'git config --global user.name A; git config --global user.email a@example.com';

test('a container with nothing but Git clones and pushes what is lent, and gets nothing else', async () => {
  const script = `cd; ${who}; command -v vouch git-credential-vouch && exit 8
    git clone -q ${url('demo')} && cd demo && git commit -q --allow-empty -m boxed && git push -q origin HEAD:main || exit 9
    git ls-remote ${url('other')} && exit 10
    git ls-remote -q origin HEAD; exit 42`;
  const done = await lend('docker', '--repo', 'demo', '--', ...toAws(), 'git-alone', 'sh', '-c', script);
  expect(done).toMatchObject({ code: 42, stdout: expect.stringMatching(/^[0-9a-f]{40}\tHEAD\n$/) });
  expect(done.stderr).toMatch(/^vouch: Lent to the container until /);
  expect(await lends()).toEqual([]);
});

test('the command that --print prints runs such a container, until the lend is over', async () => {
  const printed = await lend(
    'docker',
    '--repo',
    'demo',
    '--name',
    'dev',
    '--print',
    '--',
    ...toAws(),
    'git-alone',
    'sh',
    '-c',
    'git ls-remote "$0" HEAD; exit 42',
    url('demo'),
  );
  expect(printed).toMatchObject({ code: 0, stderr: expect.stringContaining('`vouch lend end dev` ends it.') });
  const there = () => run('sh', ['-c', printed.stdout], env);
  expect(await there()).toMatchObject({ code: 42, stdout: expect.stringMatching(/^[0-9a-f]{40}\tHEAD\n$/) });
  // Others get no further than the folder, whatever the modes of what is in it.
  expect(statSync(join(env.XDG_RUNTIME_DIR ?? '', 'vouch/lends/dev')).mode & 0o777).toBe(0o700);
  await succeed('vouch', 'lend', 'end', 'dev');
  expect(await there()).toMatchObject({
    code: 125,
    stderr: expect.stringContaining('bind source path does not exist'),
  });
});

test('what a container is given is no secret, and docker’s own failure is explained', async () => {
  writeFileSync(env.ENGINE_LOG ?? '', '');
  expect(await lend('docker', '--repo', 'demo', '--', 'git-alone', 'true')).toMatchObject({ code: 0, stdout: '' });
  const { variables } = JSON.parse(readFileSync(env.ENGINE_LOG ?? '', 'utf8')) as { variables: string[] };
  expect(variables).toEqual([
    'GIT_CONFIG_COUNT=1',
    'GIT_CONFIG_KEY_0=include.path',
    'GIT_CONFIG_VALUE_0=/run/vouch/gitconfig',
  ]);
  const failed = await lend('docker', '--repo', 'demo', '--', 'no-such-image');
  expect(failed).toMatchObject({
    code: 125,
    stdout: '',
    stderr: expect.stringContaining('vouch: docker itself failed, and says why above.\n'),
  });
  const aws = await lend('docker', '--repo', 'demo', '--aws', '--', 'git-alone', 'true');
  expect(aws).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('--aws does not reach into a container.'),
  });
  expect(await lends()).toEqual([]);
});

test('in the sandbox of docs/ai-agents.md, a program has what is lent, and cannot reach the agent', async () => {
  const bin = join(home, '../bin');
  const recipe = codeBlocks(readDocument('ai-agents.md'), 'sh').find((block) =>
    block.startsWith('#!/bin/sh\n# boxed:'),
  );
  writeFileSync(join(bin, 'boxed'), recipe ?? '', { mode: 0o755 });
  const works = (bwrap: string) => spawnSync(bwrap, ['--ro-bind', '/', '/', '--', 'true']).status === 0;
  if (!works('bwrap')) copyFileSync(join(root, 'test/cli/box/bwrap'), join(bin, 'bwrap'));
  const work = join(home, 'sandboxed');
  mkdirSync(work);
  // The authority of the local AWS is in a folder that the sandbox hides.
  copyFileSync(setting('.sslCAInfo'), join(work, 'ca.pem'));
  const pid = await world.agentPid();
  const script = `git ls-remote ${url('demo')} HEAD || exit 9
    git ls-remote ${url('other')} 2>&1 && exit 10
    [ -e '${world.agentSocket}' ] || [ -e '${home}/.aws' ] || [ -e '${home}/seed' ] && exit 11
    [ -e /proc/${pid}/root ] && [ "$(readlink /proc/${pid}/exe)" ] && exit 12
    echo written >here && ! echo written 2>/dev/null >'${bin}/git' || exit 13
    exit 42`;
  const inside = (cwd: string, ...command: string[]) =>
    run('sh', ['-c', 'cd "$0" && exec "$@"', cwd, ...command], { ...env, GIT_SSL_CAINFO: join(work, 'ca.pem') });
  const exec = ['vouch', 'lend', 'exec', '--quiet', '--repo', 'demo', '--', 'boxed', 'sh', '-c', script];
  const done = await inside(work, ...exec);
  if (!works('bwrap') && !works(join(bin, 'bwrap'))) {
    // Where a user may make no namespaces there is no sandbox, and so nothing runs.
    expect(done).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('namespace') });
    return;
  }
  expect(done).toMatchObject({ code: 42, stdout: expect.stringMatching(/^[0-9a-f]{40}\tHEAD\n/) });
  expect(readFileSync(join(work, 'here'), 'utf8')).toBe('written\n');
  expect(await inside(home, ...exec)).toMatchObject({
    code: 1,
    stderr: 'boxed: first go to a folder below your home\n',
  });
  // By whatever name one got there, and to the sockets.
  const link = join(home, '../linked-home');
  symlinkSync(home, link);
  expect(await inside(home, 'env', `HOME=${link}`, ...exec)).toMatchObject({
    code: 1,
    stderr: 'boxed: first go to a folder below your home\n',
  });
  expect(await inside(env.XDG_RUNTIME_DIR ?? '', ...exec)).toMatchObject({
    code: 1,
    stderr: 'boxed: first go to a folder without your sockets\n',
  });
  expect(await inside(work, 'boxed', 'true')).toMatchObject({
    code: 1,
    stderr: 'boxed: run it with `vouch lend exec`\n',
  });
});
