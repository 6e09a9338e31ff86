import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { endLend, listLends } from '../../cli/agent/client/lend-requests.ts';
import { configText } from '../../cli/git/config-text.ts';
import { startWorld, type World } from '../chaos/world.ts';
import { root, run } from '../cli/support.ts';
import { type SshHost, startSshHost } from '../ssh/host.ts';
import { watchProcesses } from '../support/watch-processes.ts';

/** An SSH host with plain Git, which `vouch lend ssh` reaches from a machine with an agent. Nothing of Vouch's is on the host. */

let world: World;
let host: SshHost;

beforeAll(async () => {
  world = await startWorld(1);
  for (const name of ['demo', 'other']) await world.aws.createRepository({ name });
  await world.logIn();
  const folder = mkdtempSync(join(tmpdir(), 'v-'));
  closeAtEnd(() => rmSync(folder, { recursive: true, force: true }));
  host = await startSshHost(folder);
  closeAtEnd(() => host.close());
  const settings: [string, string][] = [
    ['user.name', 'Alice'],
    ['user.email', 'alice@example.com'],
    ['init.defaultBranch', 'main'],
    // What the host is set up with would store what it is given.
    ['credential.helper', 'store'],
  ];
  writeFileSync(join(host.home, '.gitconfig'), configText([...settings, ...world.aws.gitConfig]));
});

const closers: (() => unknown)[] = [];
const closeAtEnd = (closer: () => unknown) => closers.unshift(closer);
afterAll(async () => {
  for (const closer of closers) await closer();
  await world?.close();
});

const url = (name: string) => `https://git-codecommit.us-east-1.amazonaws.com/v1/repos/${name}`;
const asked = () => world.aws.log.filter(({ outcome }) => outcome !== 'MissingAuthenticationTokenException').length;

const vouch = (options: string[], script: string) => [
  join(root, 'cli/vouch/main.ts'),
  'lend',
  'ssh',
  ...options,
  'box',
  ...['--', '-F', host.config],
  // The home folder of a real sshd's session is another one.
  `cd "$HOME"; export GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=true; ${script}`,
];
const lend = (options: string[], script: string) => run(process.execPath, vouch(options, script), world.env);

test('clone, push and fetch there, with nothing of it left on either side', async () => {
  const processes = watchProcesses(host.home, host.runtime, String(world.env.HOME));
  const done = await lend(
    ['--repo', 'demo', '--name', 'box1'],
    `git clone -q ${url('demo')} 2>&1; cd demo && echo 1 >file && git add . && git commit -qm one &&
     git push -q origin HEAD:main && git fetch -q && git log --format=%s origin/main`,
  );
  expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/\none\n$/) });
  expect(done.stderr).toMatch(
    /^vouch: Lent to box until .*: demo, pull and push \(profile role1\)\. `vouch lend end box1` ends it\.\n$/,
  );
  const assumed = world.aws.log.findLast(({ action }) => action === 'AssumeRoleWithWebIdentity');
  expect(assumed).toMatchObject({ principalTags: { 'vouch:Lent': 'box1' } });
  expect(await listLends(world.env)).toEqual({ lends: [] });
  expect(readdirSync(host.runtime)).toEqual([]);
  // `store` was never asked.
  expect(readdirSync(host.home).sort()).toEqual(['.gitconfig', 'demo']);
  const { argumentLists } = await processes.end();
  expect(argumentLists.some((list) => list.includes('vouch-lent.'))).toBe(true);
  expect(argumentLists.filter((list) => /ASIA[A-Z0-9]{8}|password=/.test(list))).toEqual([]);
});

test('another repository is refused there, and AWS is not asked; --pull-only says why a push is refused', async () => {
  const before = asked();
  const other = await lend(['-q', '--repo', 'demo'], `git ls-remote ${url('other')}`);
  expect(other).toMatchObject({ code: 128, stdout: '', stderr: expect.stringContaining('told us to quit') });
  // Once, by the lend itself, when it began.
  expect(asked()).toBe(before + 1);
  const push = await lend(
    ['-q', '--repo', 'codecommit::us-east-1://demo', '--pull-only', '--name', 'reader'],
    'git clone -q codecommit::us-east-1://demo d2 2>/dev/null; cd d2 && git commit -q --allow-empty -m x && git push origin HEAD:main',
  );
  expect(push.code).not.toBe(0);
  expect(push.stderr).toContain('vouch: The lend reader is for pulling only, so AWS refuses this push.');
});

test('`vouch lend end` ends it while the session goes on: Git there is as it was, and AWS is not asked', async () => {
  const child = spawn(
    process.execPath,
    vouch(['--repo', 'demo', '--name', 'box2'], `echo in; read -r _; git ls-remote ${url('demo')}; echo "out $?"`),
    { env: world.env },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (said.stdout += chunk));
  child.stderr.on('data', (chunk) => (said.stderr += chunk));
  await expect.poll(() => said.stdout).toBe('in\n');
  await endLend('box2', world.env);
  await expect.poll(() => readdirSync(host.runtime)).toEqual([]);
  const before = asked();
  child.stdin.end('go\n');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(said.stdout).toBe('in\nout 128\n');
  expect(said.stderr).toContain('vouch: The lend box2 was over before box was: it was ended.');
  expect(asked()).toBe(before);
});

test('a killed `vouch` leaves no lend, no connection, and nothing there', async () => {
  const child = spawn(process.execPath, vouch(['--name', 'box3'], 'echo in; while :; do sleep 0.1; done'), {
    env: world.env,
  });
  let said = '';
  child.stdout.on('data', (chunk) => (said += chunk));
  await expect.poll(() => said).toBe('in\n');
  expect((await listLends(world.env)).lends.map(({ name, tied }) => [name, tied])).toEqual([['box3', true]]);
  child.kill('SIGKILL');
  await once(child, 'close');
  await expect.poll(() => listLends(world.env)).toEqual({ lends: [] });
  await expect.poll(() => readdirSync(host.runtime)).toEqual([]);
});

test.each([
  [['-oProxyCommand=touch hacked']],
  [['--', '-oProxyCommand=touch hacked']],
  [['box', '-N']],
  [['--aws', 'box']],
  [['box', '--repo', 'demo']],
])('nothing is lent for %j', async (words) => {
  const refused = await run(process.execPath, [join(root, 'cli/vouch/main.ts'), 'lend', 'ssh', ...words], world.env);
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.not.stringContaining('Lent') });
});

test('an option before `ssh` is refused: it would not be for this lend', async () => {
  const words = ['lend', '--repo', 'demo', 'ssh', 'box'];
  const refused = await run(process.execPath, [join(root, 'cli/vouch/main.ts'), ...words], world.env);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("option '--repo' comes after the name") });
});

test('the recipe for ~/.ssh/config, for programs that start ssh themselves', async () => {
  const cli = (...words: string[]) => run(process.execPath, [join(root, 'cli/vouch/main.ts'), ...words], world.env);
  expect(await cli('lend', '--name', 'build', '--repo', 'demo')).toMatchObject({ code: 0 });
  const socket = join(host.home, '.vouch-lent.sock');
  const forward = `  RemoteForward ${socket} \${XDG_RUNTIME_DIR}/vouch/lends/build/git.sock\n`;
  writeFileSync(`${host.config}-forward`, readFileSync(host.config, 'utf8').replace(/\n/, `\n${forward}`));
  const ssh = (...words: string[]) => ['-F', `${host.config}-forward`, ...words];
  const there = (command: string, input?: string) =>
    run('ssh', ssh('-o', 'ClearAllForwardings=yes', 'box', command), world.env, input);

  const settings = await cli('lend', 'git-config', 'build', '--socket', socket);
  expect(await there('cat >>"$HOME/.gitconfig"', settings.stdout)).toMatchObject({ code: 0, stderr: '' });
  const pull = (repository: string) => run('ssh', ssh('box', `git ls-remote ${url(repository)}`), world.env);
  expect(await pull('demo')).toMatchObject({ code: 0, stderr: '' });
  // sshd leaves the socket's name, where nobody answers.
  const stale = await pull('demo');
  expect(stale).toMatchObject({
    code: 128,
    stderr: expect.stringContaining('remote port forwarding failed for listen path'),
  });
  expect(await there('rm -f "$HOME/.vouch-lent.sock"')).toMatchObject({ code: 0 });
  expect(await pull('demo')).toMatchObject({ code: 0, stderr: '' });
  expect(await there('rm -f "$HOME/.vouch-lent.sock"')).toMatchObject({ code: 0 });
  expect(await pull('other')).toMatchObject({ code: 128 });
  expect(await cli('lend', 'end', 'build')).toMatchObject({ code: 0 });
});
