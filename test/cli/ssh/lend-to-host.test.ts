import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { shellWord } from '../../../cli/aws/config/command-line.ts';
import { type SshHost, type SshHostOptions, startSshHost } from '../../ssh/host.ts';
import { onTerminal } from '../../support/terminal.ts';
import { type Machine, machine, root, run } from '../support.ts';

interface World extends Machine {
  host: SshHost;
  /** The command line that lends to the host. */
  lend(...words: string[]): [string, ...string[]];
  /** What has been left in the folder where the host's script makes its own. */
  there(): string[];
}

async function world(options: SshHostOptions = {}): Promise<World> {
  const the = machine();
  const host = await startSshHost(join(the.folder, 'h'), options);
  onTestFinished(() => host.close());
  let count = 0;
  return {
    ...the,
    host,
    lend: (...words) => [
      process.execPath,
      join(root, 'test/cli/ssh/lend.ts'),
      join(the.folder, `lent${++count}`),
      'box',
      '-F',
      host.config,
      ...words,
    ],
    there: () => readdirSync(host.runtime).filter((name) => name.startsWith('vouch-lent.')),
  };
}

/** Lends to the host, and waits for the end. */
function lendIn({ lend, env }: World, ...words: string[]) {
  const [file, ...args] = lend(...words);
  return run(file, args, env);
}

/** Lends to the host, with a command there that prints `in` and goes on until its input ends. */
async function begin(the: World, command = 'echo in; cat'): Promise<Begun> {
  const [file, ...args] = the.lend(command);
  // In a session of its own it has no terminal, wherever the tests run.
  const child = spawn(file, args, { env: the.env, detached: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  await expect.poll(() => said.stdout, { message: 'the command runs' }).toContain('in\n');
  return { child, said, ended: once(child, 'exit').then(([code]) => code as number | null) };
}

interface Begun {
  child: ChildProcessWithoutNullStreams;
  said: { stdout: string; stderr: string };
  ended: Promise<number | null>;
}

const fill = `printf 'protocol=https\\nhost=example.com\\n\\n' | GIT_TERMINAL_PROMPT=0 git credential fill`;

describe('a command', () => {
  test('Git there gets what is lent; the streams and the exit code are the command’s; nothing is left', async () => {
    const the = await world();
    const done = await lendIn(the, `${fill}; echo err >&2; exit 7`);
    expect(done).toEqual({
      code: 7,
      stdout: 'protocol=https\nhost=example.com\nusername=lent\npassword=fenced\n',
      stderr: 'err\n',
    });
    expect(the.there()).toEqual([]);
    // The person authenticates once.
    expect(the.host.logins()).toBe(1);
  });

  test('is what a login shell would get from ssh: words joined, quotes and all, and standard input', async () => {
    const the = await world();
    const [file, ...args] = the.lend(
      '-v',
      '--',
      'cat;',
      'printf',
      `"%s|"`,
      `'a  b'`,
      '"$HOME"',
      `"it's"`,
      '\\\\n',
      '-n',
    );
    const child = spawn(file, args, { env: the.env });
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    child.stdin.end('input\n');
    await once(child, 'close');
    expect(said).toBe(`input\na  b|${the.host.home}|it's|\\n|-n|`);
  });

  test('its folder is the user’s alone, and holds no secret', async () => {
    const the = await world();
    const { child, ended } = await begin(the);
    const [name = ''] = the.there();
    const folder = join(the.host.runtime, name);
    expect(lstatSync(folder).mode & 0o777).toBe(0o700);
    const modes = readdirSync(folder).map((file) => [file, (lstatSync(join(folder, file)).mode & 0o777).toString(8)]);
    expect(Object.fromEntries(modes)).toEqual({
      enter: '600',
      'git.sock': '600',
      gitconfig: '600',
      pid: '600',
      session: '600',
    });
    child.stdin.end();
    expect(await ended).toBe(0);
    expect(the.there()).toEqual([]);
  });

  test('Git settings in the variables there stay', async () => {
    const GIT_CONFIG = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'There' };
    const the = await world({ env: GIT_CONFIG });
    const { stdout } = await lendIn(the, `git config user.name; ${fill}`);
    expect(stdout).toMatch(/^There\n.*password=fenced\n$/s);
  });

  test('what the person’s configuration forwards is asked for once', async () => {
    const the = await world();
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const config = readFileSync(the.host.config, 'utf8');
    writeFileSync(the.host.config, config.replace(/\n/, `\n  LocalForward 127.0.0.1:${port} 127.0.0.1:1\n`));
    const { code, stdout, stderr } = await lendIn(the, 'echo done');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'done\n' });
    expect(stderr.match(/Could not request local forwarding|Port forwarding failed/gi)).toHaveLength(1);
    expect(the.host.logins()).toBe(1);
  });

  test('without XDG_RUNTIME_DIR there, the folder is in /tmp', async () => {
    const the = await world({ env: { XDG_RUNTIME_DIR: '' } });
    const { stdout } = await lendIn(the, `${fill} && echo "$GIT_CONFIG_VALUE_0"`);
    const [, folder = ''] = /^(\/tmp\/vouch-lent\.\w{10})\/gitconfig$/m.exec(stdout) ?? [];
    expect(stdout).toContain('password=fenced');
    expect(folder).not.toBe('');
    expect(existsSync(folder)).toBe(false);
  });

  test('in a folder where another user could put another in its place it makes none', async () => {
    const the = await world();
    chmodSync(the.host.runtime, 0o777);
    const { stdout } = await lendIn(the, 'echo "$GIT_CONFIG_VALUE_0"');
    expect(stdout).toMatch(/^\/tmp\/vouch-lent\./);
    // Where nobody can remove what is another's, it does.
    chmodSync(the.host.runtime, 0o1777);
    expect((await lendIn(the, 'echo "$GIT_CONFIG_VALUE_0"')).stdout).toContain(the.host.runtime);
  });

  test('what a login shell’s files print is no answer', async () => {
    const forceCommand = `echo 'Welcome!'; printf 'no line end'; exec sh -c "$SSH_ORIGINAL_COMMAND"`;
    const the = await world({ forceCommand });
    expect((await lendIn(the, 'echo done')).stdout).toContain('done\n');
  });
});

describe('a shell', () => {
  test('runs on a terminal, where Ctrl-C goes to its command', async () => {
    const the = await world();
    const terminal = onTerminal(the.lend().map(shellWord).join(' '), { env: { ...the.env, COLUMNS: '', LINES: '' } });
    terminal.type(`stty -echo; PS1='>'; echo ready-$((1+1)); tty\n`);
    await terminal.until(/ready-2\n\/dev\/pts/);
    terminal.type('echo sleeping-$((1+1)); sleep 1000\n');
    await terminal.until(/sleeping-2/);
    terminal.type('\x03');
    terminal.type(`echo again-$?; ${fill}\n`);
    await terminal.until(/again-130\n(?:.*\n)*password=fenced/);
    terminal.type('exit 9\n');
    expect(await terminal.ended).toBe(9);
    expect(the.there()).toEqual([]);
  });

  test('without a terminal it reads commands from standard input, as with ssh', async () => {
    const the = await world();
    const [file, ...args] = the.lend();
    const child = spawn(file, args, { env: the.env });
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    child.stdin.end(`${fill}\nexit 3\n`);
    const [code] = await once(child, 'close');
    expect({ code, said }).toMatchObject({ code: 3, said: expect.stringContaining('password=fenced') });
  });
});

describe('refusals', () => {
  test('a host that forwards no sockets: says who can change that', async () => {
    const the = await world({ allowStreamLocalForwarding: false });
    const { code, stderr } = await lendIn(the, 'echo never');
    expect(code).toBe(5);
    expect(stderr).toMatch(
      /^vouch: box does not let us forward a socket\.\n.*failed.*\n.*AllowStreamLocalForwarding yes/m,
    );
    expect(the.there()).toEqual([]);
  });

  test.each([
    ['an account without a shell', 'echo This account is not available.; exit 1', 'This account is not available'],
    ['one that says nothing', 'exit 0', 'It ended the session'],
    ['one that echoes', 'cat', 'It said'],
    ['one that never stops', 'yes', 'It said'],
  ])('%s', async (_, forceCommand, said) => {
    const the = await world({ forceCommand });
    const [file, ...args] = the.lend('echo never');
    const child = spawn(file, args, { env: the.env });
    onTestFinished(() => void child.kill('SIGKILL'));
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    if (forceCommand === 'cat') {
      // Nothing says that no answer will come. The person ends it.
      await expect.poll(() => the.host.logins()).toBe(1);
      child.kill('SIGINT');
      expect(await once(child, 'exit')).toEqual([130, null]);
      return;
    }
    const [code] = await once(child, 'close');
    expect(code).toBe(1);
    expect(stderr).toContain('box did not run the commands that prepare the lend');
    expect(stderr).toContain(said);
  });

  test.each([
    ['a command in the path', '/tmp/x;touch hacked'],
    ['another line of ours', '/tmp/x\\nfolder /tmp/y'],
    ['a path for another place', '/tmp/x:/tmp/y'],
    ['a path too long for a socket', `/tmp/${'x'.repeat(100)}`],
  ])('a hostile host that answers with %s', async (_, path) => {
    // It reads the mark in our script, and answers itself.
    const forceCommand = `mark=$(sed -n "s/^say.* \\([0-9a-f]\\{32\\}\\) .*/\\1/p;/^say/q"); printf '%s folder ${path}\\tgit version 2.39\\n' $mark; cat`;
    const the = await world({ forceCommand });
    const { code, stderr } = await lendIn(the, 'echo never');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('no place for a private folder on box'),
    });
  });

  test('a host that prints more when all is done', async () => {
    const the = await world({
      forceCommand: `sh -c "$SSH_ORIGINAL_COMMAND"; code=$?; yes | head -c 500000; exit $code`,
    });
    expect((await lendIn(the, 'exit 6')).code).toBe(6);
    expect(the.there()).toEqual([]);
  });

  test('a connection that fails: ssh says why, and its exit code is ours', async () => {
    const the = await world();
    writeFileSync(join(the.host.config, '../known-hosts'), '');
    const { code, stderr } = await lendIn(the, 'echo never');
    expect({ code, stderr }).toMatchObject({
      code: 255,
      stderr: expect.stringContaining('Host key verification failed'),
    });
    expect(stderr).not.toContain('vouch');
  });

  test('a connection that is gone before the session begins: ssh makes no other one', async () => {
    const the = await world();
    const wrapper = join(the.folder, 'bin/ssh');
    const gone = 'case "$*" in *ControlMaster=no*) rm "$2" ;; esac';
    writeFileSync(wrapper, `#!/bin/sh\n${gone}\nPATH=\${PATH#*:}\nexec ssh "$@"\n`, { mode: 0o755 });
    const { code, stdout } = await lendIn(the, 'echo never');
    expect({ code, stdout, logins: the.host.logins() }).toEqual({ code: 255, stdout: '', logins: 1 });
  });

  test('no ssh here', async () => {
    const the = await world();
    const bin = join(the.folder, 'empty');
    mkdirSync(bin);
    const { code, stderr } = await lendIn({ ...the, env: { ...the.env, PATH: bin } }, 'echo never');
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no `ssh` on the PATH'),
    });
  });
});

describe('an end that nobody wished for', () => {
  test('killed here: the folder there goes, what runs there is hung up, and no ssh stays', async () => {
    const the = await world();
    const { child } = await begin(the, `trap 'echo hup >"$HOME/hup"; exit' HUP; echo in; while :; do sleep 0.1; done`);
    child.kill('SIGKILL');
    // Its streams are closed when no ssh has them any more.
    await once(child, 'close');
    await expect.poll(() => existsSync(join(the.host.home, 'hup'))).toBe(true);
    await expect.poll(() => the.there()).toEqual([]);
  });

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
    '%s: the session ends, and so does the connection',
    async (signal) => {
      const the = await world();
      const { child, ended } = await begin(the);
      child.kill(signal);
      expect(await ended).not.toBe(0);
      await expect.poll(() => the.there()).toEqual([]);
    },
  );

  test('the network is gone: ssh’s exit code, and the folder there goes', async () => {
    const the = await world();
    const { ended } = await begin(the);
    the.host.cut();
    expect(await ended).toBe(255);
    await expect.poll(() => the.there()).toEqual([]);
  });

  test('the lend is over: Git there is as it was before, and the session goes on', async () => {
    const the = await world();
    const { child, said, ended } = await begin(the, `echo in; read -r _; ${fill}; echo out; exit 4`);
    writeFileSync(join(the.folder, 'lent1/end'), '');
    await expect.poll(() => the.there()).toEqual([]);
    child.stdin.end('go\n');
    expect(await ended).toBe(4);
    expect(said.stdout).toBe('in\nout\n');
    expect(said.stderr).toContain('terminal prompts disabled');
  });

  test('a host that has kept the forwarded socket does not reach a later lend of the same name', async () => {
    const the = await world();
    const keep = `ln "\${GIT_CONFIG_VALUE_0%/*}/git.sock" "$HOME/kept.sock"`;
    const ask = `printf 'protocol=https\\nhost=example.com\\n' | git credential-cache --socket "$HOME/kept.sock" get`;
    const { child, said, ended } = await begin(the, `${keep}; ${ask}; echo in; read -r _; ${ask}; echo out`);
    expect(said.stdout).toBe('username=lent\npassword=fenced\nin\n');
    writeFileSync(join(the.folder, 'lent1/end'), '');
    await expect.poll(() => the.there()).toEqual([]);
    // As the agent does for the next lend of that name.
    rmSync(join(the.folder, 'lent1'), { recursive: true });
    mkdirSync(join(the.folder, 'lent1'), { mode: 0o700 });
    const asked = vi.fn();
    const later = createServer((socket) => {
      asked();
      socket.destroy();
    }).listen(join(the.folder, 'lent1/git.sock'));
    onTestFinished(() => void later.close());
    await once(later, 'listening');
    child.stdin.end('go\n');
    await ended;
    expect(said.stdout).toContain('out\n');
    expect(asked).not.toHaveBeenCalled();
  });

  test('what a killed script has left there goes with the next lend; another lend’s folder stays', async () => {
    const the = await world();
    const first = await begin(the);
    const [folder = ''] = the.there();
    const leftover = join(the.host.runtime, 'vouch-lent.leftover99');
    mkdirSync(leftover, { mode: 0o700 });
    const gone = spawn('true');
    await once(gone, 'exit');
    writeFileSync(join(leftover, 'pid'), `${gone.pid}\n`);
    expect((await lendIn(the, 'true')).code).toBe(0);
    expect(the.there()).toEqual([folder]);
    first.child.stdin.end();
    expect(await first.ended).toBe(0);
  });
});
