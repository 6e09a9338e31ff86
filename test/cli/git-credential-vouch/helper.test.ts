import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { putSession } from '../../../cli/agent/client/requests.ts';
import { serve } from '../../../cli/agent/serve.ts';
import { prepareRuntimeFolder } from '../../../cli/runtime-folder/prepare-folder.ts';
import { setupCodeCommit } from '../../../cli/vouch/commands/setup-codecommit.ts';
import { giveAway, superuser } from '../other-users.ts';
import {
  captured,
  gitRequest,
  host,
  installHelper,
  lines,
  type Machine,
  machine,
  newSession,
  role,
  root,
  run,
  say,
  services,
  setUpProfile,
  stsError,
} from '../support.ts';
import { isThere, shells } from './shells.ts';

const notSignedIn = 'vouch: You are not signed in. Run `vouch login`, then try again.\n';

/** A machine with the helper installed as npm installs it, and Git set up for it. */
async function setUp(): Promise<Machine & { helper: string }> {
  const the = machine();
  const helper = installHelper(the);
  await setupCodeCommit({}, captured(the.env).io);
  return { ...the, helper };
}

async function signedIn() {
  const the = await setUp();
  const world = await services();
  setUpProfile(the);
  const clock = { now: Date.now() };
  const running = await serve({ env: { ...the.env, AWS_ENDPOINT_URL_STS: world.url }, now: () => clock.now });
  onTestFinished(() => running?.end());
  await putSession(newSession(world.url), the.env);
  return { ...the, world, clock };
}

/** The Node program alone. */
const program = (the: Machine, request: string | Buffer, action = 'get') =>
  run(process.execPath, [join(root, 'cli/git-credential-vouch/main.ts'), action], the.env, request);

/** Puts a program of this test before the real one on the PATH. */
function shadow({ folder }: Machine, name: string, script: string): void {
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

describe('git-credential-vouch', () => {
  test.each(shells)('answers from the agent without Node, in %s', async (shell) => {
    const the = await signedIn();
    shadow(the, 'node', 'echo node was started >&2; exit 1');
    const [command = '', ...args] = shell.split(' ');
    const { code, stdout, stderr } = await run(command, [...args, the.helper, 'get'], the.env, gitRequest);
    expect([code, stderr]).toEqual([0, '']);
    expect(Object.keys(lines(stdout))).toEqual(['username', 'password', 'password_expiry_utc']);
    // Without the last newline it is the same request.
    const again = await run(command, [...args, the.helper, 'get'], the.env, gitRequest.trimEnd());
    expect(lines(again.stdout).password).toMatch(/^\d{8}T\d{6}Z[0-9a-f]{64}$/);
  });

  test.each(['store', 'erase', 'capability', ''])('succeeds with %j and does nothing', async (action) => {
    const the = await setUp();
    shadow(the, 'node', 'echo node was started >&2; exit 1');
    const finished = await run(the.helper, [action], the.env, `${gitRequest}username=u\npassword=p\n`);
    expect(finished).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('finds its program through links of links', async () => {
    const the = await setUp();
    mkdirSync(join(the.folder, 'far/away'), { recursive: true });
    const link = join(the.folder, 'far/away/git-credential-vouch');
    symlinkSync('../../bin/git-credential-vouch', link);
    expect(await run(link, ['get'], the.env, gitRequest)).toEqual({ code: 0, stdout: 'quit=1\n', stderr: notSignedIn });
  });

  test('without Node on the PATH says so and stops Git', async () => {
    const the = await setUp();
    const env = { ...the.env, PATH: join(the.folder, 'bin') };
    for (const tool of ['readlink', 'git']) shadow(the, tool, `PATH=/usr/bin:/bin exec ${tool} "$@"`);
    const { code, stdout, stderr } = await run('/bin/sh', [the.helper, 'get'], env, gitRequest);
    expect([code, stdout]).toEqual([0, 'quit=1\n']);
    expect(stderr).toMatch(/^vouch: Node\.js is not on the PATH[^\n]*\n$/);
  });

  describe('when Node cannot be used', () => {
    test.each<[string, string]>([
      ['that crashes', 'echo "SyntaxError: Unexpected token" >&2; exit 1'],
      ['of a version manager that has none installed', 'exit 126'],
      ['that is killed', 'kill -KILL $$'],
    ])('a Node %s: says so and stops Git, which asks nobody', async (_, script) => {
      const the = await setUp();
      shadow(the, 'node', script);
      const asked = join(the.folder, 'asked');
      shadow(the, 'askpass', `touch ${asked}; echo someone`);
      const env = { ...the.env, GIT_ASKPASS: join(the.folder, 'bin/askpass') };
      const fill = await run('git', ['credential', 'fill'], env, `url=https://${host}/v1/repos/demo\n\n`);
      expect([fill.code, fill.stdout]).toEqual([128, '']);
      expect(fill.stderr).toMatch(/vouch: Node\.js \(\S+\/node\) ended with status \d+ .*`vouch doctor`/);
      expect(existsSync(asked)).toBe(false);
    });

    test('a file that is not a program for this machine: says so and stops Git', async () => {
      const the = await setUp();
      const broken = join(the.folder, 'broken');
      writeFileSync(broken, '\x7fELF', { mode: 0o755 });
      const { code, stdout } = await run(the.helper, ['--node', broken, 'get'], the.env, gitRequest);
      expect([code, stdout]).toEqual([0, 'quit=1\n']);
    });

    test.each(['exit 1', undefined])('leaves other hosts to other helpers (%s)', async (script) => {
      const the = await setUp();
      if (script) shadow(the, 'node', script);
      const PATH = script ? the.env.PATH : join(the.folder, 'bin');
      if (!script) for (const tool of ['readlink', 'git']) shadow(the, tool, `PATH=/usr/bin:/bin exec ${tool} "$@"`);
      const request = gitRequest.replace(host, 'github.com');
      const finished = await run('/bin/sh', [the.helper, 'get'], { ...the.env, PATH }, request);
      expect(finished).toEqual({ code: 0, stdout: '', stderr: '' });
    });

    test('stops Git if its own options are wrong', async () => {
      const the = await setUp();
      const { stdout, stderr } = await run(the.helper, ['--profile', 'get'], the.env, gitRequest);
      expect(stdout).toBe('quit=1\n');
      expect(stderr).toContain('needs a value after --profile');
    });
  });

  test('starts no program with a secret among its arguments', async () => {
    const the = await signedIn();
    // A Git that records its arguments. If the server fails, the Node program runs too.
    const log = join(the.folder, 'arguments');
    shadow(the, 'git', `echo "git $*" >>${log}; PATH=\${PATH#*:} exec git "$@"`);
    shadow(the, 'node', `echo "node $*" >>${log}; exec ${process.execPath} "$@"`);
    const { stdout } = await run(the.helper, ['get'], the.env, gitRequest);
    expect(stdout).toContain('password=');
    the.world.answers.token = (response) => response.writeHead(500).end();
    await run(the.helper, ['get'], the.env, gitRequest.replace('us-east-1', 'us-east-2'));
    expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual([
      expect.stringMatching(/^git credential-cache --socket \S+\/git\.sock get$/),
      expect.stringMatching(/^git credential-cache --socket \S+\/git\.sock get$/),
      expect.stringMatching(/^node --disable-sigusr1 (--\S+ )+\S+\/git-credential-vouch\/main\.cjs get$/),
      String.raw`git config --null --show-scope --show-origin --get-regexp ^(credential\.|alias\.credential-vouch$)`,
    ]);
  });

  test('shows the credential to no one, whatever options its shell has', async () => {
    const the = await signedIn();
    the.world.answers.token = (response) => response.writeHead(500).end();
    const log = join(the.folder, 'environments');
    // This Git answers without the agent, as an old Git would. So Node is asked although there was an answer.
    const event = (value: string) => `echo '{"event":"def_param","param":"credential.helper","value":"${value}"}' >&3`;
    shadow(
      the,
      'git',
      `[ "$1" = credential-cache ] || { env >>${log}; exec /usr/bin/env PATH="\${PATH#*:}" git "$@"; }
cat >/dev/null; ${event('store')}; echo '{"event":"version","exe":"2.30.0"}' >&3
printf 'username=AKIA-SECRET\\npassword=SECRET\\npassword_expiry_utc=1\\n' >&3`,
    );
    shadow(the, 'node', `env >>${log}; cat >>${log}; exit 0`);
    const told = ['allexport', 'errexit', 'noglob', 'nounset', 'verbose', 'xtrace'].join(':');
    const exported = ['answer', 'encoded', 'line', 'plain', 'request', 'rest'].map((name) => [name, 'x']);
    const sh = join(the.folder, 'bin/sh');
    symlinkSync('/bin/bash', sh);
    const env = { ...the.env, ...Object.fromEntries(exported), SHELLOPTS: told, PS4: '$(echo traced >&2)+ ' };
    for (const flags of [[], ['-x'], ['-v'], ['-xva']]) {
      const { stdout, stderr } = await run(sh, [...flags, the.helper, 'get'], env, gitRequest);
      // An older Git lets another helper store what it gets, so it gets nothing.
      expect(stdout).toBe('');
      expect(stderr).not.toContain('SECRET');
    }
    expect(readFileSync(log, 'utf8')).toContain(`host=${host}`);
    expect(readFileSync(log, 'utf8')).not.toContain('SECRET');
  });

  test('the reason for a missing path is reported: Git does not send it, or was asked only about a host', async () => {
    const the = await signedIn();
    const ask = () => run('git', ['credential', 'fill'], the.env, `protocol=https\nhost=${host}\n\n`);
    expect((await ask()).stderr).toContain(
      `vouch: The program that asked Git for credentials named only the host.\nvouch: Name the whole URL of a repository, such as https://${host}/v1/repos/demo.\n`,
    );
    await run('git', ['config', '--global', 'credential.useHttpPath', 'false'], the.env);
    expect((await ask()).stderr).toContain(
      'vouch: credential.useHttpPath is not set for this host.\nvouch: Run `vouch setup codecommit`, then try again.\n',
    );
  });

  test('does not ask a socket in a folder that is a link', async () => {
    const the = await signedIn();
    // The agent still answers there.
    renameSync(dirname(the.gitSocket), join(the.folder, 'elsewhere'));
    symlinkSync(join(the.folder, 'elsewhere'), dirname(the.gitSocket));
    const { stdout, stderr } = await run(the.helper, ['get'], the.env, gitRequest);
    expect(stdout).toBe('quit=1\n');
    expect(stderr).toMatch(/vouch: The folder for the agent's sockets is not safe.*\nvouch: It is a symbolic link/);
  });

  test.each([
    ['in a folder that is open to others', 'open', 'Its mode is 0777: others may enter it.'],
    ['in a folder of another user', 'folder', 'It belongs to user'],
    ['of another user', 'socket', ''],
  ])('does not ask a socket %s', async (_, what, why) => {
    const the = await signedIn();
    const log = join(the.folder, 'arguments');
    shadow(the, 'git', `echo "git $*" >>${log}; PATH=\${PATH#*:} exec git "$@"`);
    const folder = dirname(the.gitSocket);
    if (what === 'open') chmodSync(folder, 0o777);
    const asked =
      what === 'open'
        ? await run(the.helper, ['get'], the.env, gitRequest)
        : await withOthers(what === 'folder' ? folder : the.gitSocket, the);
    const started = existsSync(log) ? readFileSync(log, 'utf8') : '';
    expect(started).not.toContain('credential-cache');
    // The Node program asks the agent itself, or reports what is wrong. It does not see the overridden builtin.
    if (what === 'open' || (what === 'folder' && superuser)) expect(asked.stderr).toContain(why);
  });

  test('asks in exactly the folder that it has checked, even if the name then leads to another', async () => {
    const the = await signedIn();
    const folder = dirname(dirname(the.gitSocket));
    const evil = join(the.folder, 'evil');
    mkdirSync(join(evil, 'vouch'), { recursive: true });
    const server = createServer((socket) => socket.end('username=evil\npassword=evil\n'));
    await new Promise<void>((resolve) => server.listen(join(evil, 'vouch/git.sock'), resolve));
    onTestFinished(() => void server.close());
    // What another user with write access to the folder above could do, just before Git connects.
    shadow(the, 'git', `mv '${folder}' '${folder}.away'; ln -s '${evil}' '${folder}'; PATH=\${PATH#*:} exec git "$@"`);
    const { stdout } = await run(the.helper, ['get'], the.env, gitRequest);
    expect(lines(stdout).password).toMatch(/^\d{8}T\d{6}Z[0-9a-f]{64}$/);
    expect(readlinkSync(folder)).toBe(evil);
  });

  test.each(['', '.'])('looks for no socket in the current folder: HOME=%j', async (HOME) => {
    const the = await setUp();
    // `run` starts the helper in this folder.
    const planted = join(the.folder, 'home/.cache/vouch');
    mkdirSync(planted, { recursive: true });
    chmodSync(planted, 0o1700);
    const server = createServer((socket) => socket.end('username=evil\npassword=evil\n'));
    await new Promise<void>((resolve) => server.listen(join(planted, 'git.sock'), resolve));
    onTestFinished(() => void server.close());
    shadow(the, 'node', 'echo quit=1');
    const ask = (home: string) =>
      run('/bin/sh', ['-c', 'HOME=$1 exec "$0" get', the.helper, home], the.env, gitRequest);
    expect((await ask(HOME)).stdout).toBe('quit=1\n');
    // With an absolute HOME the helper finds it.
    expect((await ask(String(the.env.HOME))).stdout).toContain('password=evil');
  });

  test.each(['logind’s folder', 'the cache folder'])('finds a session in %s', async (where) => {
    const the = await setUp();
    const own = join(the.folder, 'user', String(process.getuid?.()));
    const script = join(the.folder, 'package/cli/git-credential-vouch/git-credential-vouch');
    // The real folder of this user may have a session.
    writeFileSync(script, readFileSync(script, 'utf8').replaceAll('/run/user/', `${the.folder}/user/`));
    const agents = where === 'the cache folder' ? join(the.folder, 'home/.cache') : own;
    for (const path of [own, agents]) mkdirSync(path, { recursive: true, mode: 0o700 });
    prepareRuntimeFolder({ HOME: the.env.HOME, XDG_RUNTIME_DIR: agents });
    const server = createServer((socket) => socket.end('username=u\npassword=p\n'));
    await new Promise<void>((resolve) => server.listen(join(agents, 'vouch/git.sock'), resolve));
    onTestFinished(() => void server.close());
    shadow(the, 'node', 'echo quit=1');
    const folders = [undefined, '', 'relative', join(the.folder, 'none')];
    // XDG_RUNTIME_DIR may lead elsewhere than logind's folder, and a session may have begun without it.
    if (where === 'the cache folder') folders.push(the.env.XDG_RUNTIME_DIR);
    for (const XDG_RUNTIME_DIR of folders) {
      const { stdout } = await run(the.helper, ['get'], { ...the.env, XDG_RUNTIME_DIR }, gitRequest);
      expect(stdout).toBe('username=u\npassword=p\n');
    }
  });

  test.each([
    ['another host', gitRequest.replace(host, 'github.com')],
    ['a host that only begins like CodeCommit', gitRequest.replace('amazonaws.com', 'amazonaws.com.evil.example')],
    ['http', gitRequest.replace('https', 'http')],
    ['a carriage return', gitRequest.replace('\npath', '\r\npath')],
    ['a line of 70,000 bytes', `${gitRequest}other=${'a'.repeat(70_000)}\n`],
    ['nothing', ''],
  ])('gives %s no answer and exit code 0, with and without a session', async (_, request) => {
    const nothing = { code: 0, stdout: '', stderr: '' };
    expect(await run((await setUp()).helper, ['get'], (await setUp()).env, request)).toEqual(nothing);
    const the = await signedIn();
    expect(await run(the.helper, ['get'], the.env, request)).toEqual(nothing);
    expect(await program(the, request)).toEqual(nothing);
    expect(the.world.calls).toEqual([]);
  });
});

// Git's strings contain no NUL, so Git sends none. Another program of the same person could just as well ask without a NUL.
test.each(['dash', 'bash'].filter(isThere))(
  'in %s, a NUL is not there for the script, nor for the agent',
  async (shell) => {
    const the = await signedIn();
    const { stdout } = await run(shell, [the.helper, 'get'], the.env, gitRequest.replace('v1/repos', 'v1/re\0pos'));
    expect(lines(stdout).password).toMatch(/^\d{8}T\d{6}Z[0-9a-f]{64}$/);
    // The agent itself refuses it.
    expect(await say(the.gitSocket, `action=get\ntimeout=900\n${gitRequest.replace('v1/repos', 'v1/re\0pos')}`)).toBe(
      '',
    );
    expect(await say(the.gitSocket, `action=get\ntimeout=900\n${gitRequest}`)).toContain('password=');
  },
);

describe('the Node program', () => {
  test('gives a NUL no answer', async () => {
    const the = await signedIn();
    expect(await program(the, gitRequest.replace('\npath', '\0\npath'))).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('answers as the socket does', async () => {
    const the = await signedIn();
    expect(lines((await program(the, gitRequest)).stdout).password).toMatch(/^\d{8}T\d{6}Z[0-9a-f]{64}$/);
    expect(await program(the, gitRequest, 'store')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('says when the session ended', async () => {
    const the = await signedIn();
    the.clock.now += 9 * 3600_000;
    const { stdout, stderr } = await program(the, gitRequest);
    expect(stdout).toBe('quit=1\n');
    expect(stderr).toMatch(/^vouch: Your session ended at \d\d:\d\d\. Run `vouch login`, then try again\.\n$/);
  });

  test("explains STS's refusal in three lines that cannot control a terminal", async () => {
    const the = await signedIn();
    the.world.answers.sts = stsError('AccessDenied', 'no &#27;[31m entry');
    const { code, stdout, stderr } = await program(the, gitRequest);
    expect([code, stdout]).toEqual([0, 'quit=1\n']);
    expect(stderr.trimEnd().split('\n')).toEqual([
      `vouch: AWS refused the role ${role}.`,
      expect.stringMatching(/^vouch: .*trust policy/),
      expect.stringMatching(/^vouch: .*sts:RoleSessionName/),
    ]);
    expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test('says to run the setup when Git sends no path', async () => {
    const the = await signedIn();
    await run('git', ['config', '--global', 'credential.useHttpPath', 'false'], the.env);
    const { stdout, stderr } = await program(the, gitRequest.replace(/path=.*\n/, ''));
    expect(stdout).toBe('quit=1\n');
    expect(stderr).toContain('vouch setup codecommit');
  });
});

describe('Git itself', () => {
  test('gets user name and password', async () => {
    const the = await signedIn();
    const { code, stdout } = await run('git', ['credential', 'fill'], the.env, `url=https://${host}/v1/repos/demo\n\n`);
    expect(code).toBe(0);
    expect(lines(stdout)).toMatchObject({
      host,
      path: 'v1/repos/demo',
      username: expect.stringMatching(/^ASIA/),
    });
  });

  test('without a session stops at once, with no prompt', async () => {
    const the = await setUp();
    // A prompt would leave a trace.
    const asked = join(the.folder, 'asked');
    const env = { ...the.env, GIT_ASKPASS: join(the.folder, 'bin/askpass') };
    shadow(the, 'askpass', `touch ${asked}`);
    const { code, stdout, stderr } = await run(
      'git',
      ['credential', 'fill'],
      env,
      `url=https://${host}/v1/repos/demo\n\n`,
    );
    expect([code, stdout]).toEqual([128, '']);
    expect(stderr).toBe(`${notSignedIn}fatal: credential helper 'vouch' told us to quit\n`);
    expect(existsSync(asked)).toBe(false);
  });

  test('is not held up when it approves and rejects', async () => {
    const the = await setUp();
    for (const action of ['approve', 'reject']) {
      const input = `${gitRequest}username=u\npassword=p\n\n`;
      expect(await run('git', ['credential', action], the.env, input)).toEqual({ code: 0, stdout: '', stderr: '' });
    }
  });
});

/**
 * Runs the helper with a file of another user. Root gives the file away. Other users override the shell's builtin that checks whether
 * a file is ours.
 */
function withOthers(path: string, { helper, env }: Machine & { helper: string }) {
  if (superuser) {
    giveAway(path);
    return run(helper, ['get'], env, gitRequest);
  }
  const ends = path.endsWith('.sock') ? '*/git.sock' : '*/4 | "-O "*/vouch';
  const pretend = `function [ { case "$1 $2" in "-O "${ends}) return 1 ;; esac; builtin [ "$@"; }; . "$0"`;
  return run('bash', ['-c', pretend, helper, 'get'], env, gitRequest);
}
