import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { changeConfig } from '../../../../cli/config.ts';
import { sshTunnel, wayBack } from '../../../../cli/login/callback/ssh-tunnel.ts';
import { freePort } from '../../../support/free-port.ts';
import { onTerminal } from '../../../support/terminal.ts';
import { machine, root, run } from '../../support.ts';
import { startFakeIssuer } from '../fake-issuer.ts';

const user = vi.hoisted(() => ({ username: 'alice' as string | undefined }));
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo: () => {
    if (user.username === undefined) throw new Error('uv_os_get_passwd returned ENOENT');
    return user;
  },
}));

describe('the command that forwards the port', () => {
  test.each([
    ['192.0.2.7 50000 198.51.100.4 22', 'ssh -L 4321:127.0.0.1:4321 alice@198.51.100.4'],
    ['192.0.2.7 50000 198.51.100.4 2222', 'ssh -L 4321:127.0.0.1:4321 -p 2222 alice@198.51.100.4'],
    ['2001:db8::7 50000 2001:db8::4 22', 'ssh -L 4321:127.0.0.1:4321 alice@2001:db8::4'],
    ['UNKNOWN 65535 UNKNOWN 65535', `ssh -L 4321:127.0.0.1:4321 -p 65535 alice@${hostname()}`],
    ['$(id) ; x -oProxyCommand=id', `ssh -L 4321:127.0.0.1:4321 alice@${hostname()}`],
  ])('in a session of SSH (%s)', (SSH_CONNECTION, expected) => {
    expect(sshTunnel(4321, { SSH_CONNECTION })).toBe(expected);
    expect(wayBack(4321, { SSH_CONNECTION })).toContain(`\n  ${expected}`);
    expect(wayBack(4321, { SSH_CONNECTION }, true)).toMatch(/\n.*`vouch login --paste`$/);
  });

  test('names the user as a shell reads it, if the system has a name', () => {
    const SSH_CONNECTION = '192.0.2.7 50000 198.51.100.4 22';
    onTestFinished(() => {
      user.username = 'alice';
    });
    user.username = 'EXAMPLE\\alice';
    expect(sshTunnel(1, { SSH_CONNECTION })).toBe("ssh -L 1:127.0.0.1:1 'EXAMPLE\\alice@198.51.100.4'");
    user.username = undefined;
    expect(sshTunnel(1, { SSH_CONNECTION, USER: 'bob' })).toContain(' bob@');
    expect(sshTunnel(1, { SSH_CONNECTION })).toContain(' YOU@');
  });

  test('is missing elsewhere, and only the port is printed', () => {
    expect(sshTunnel(4321, {})).toBeUndefined();
    expect(wayBack(4321, {}, false, false)).toBe('The browser comes back to 127.0.0.1:4321 on this machine.');
    expect(wayBack(4321, {}, true, false)).toMatch(/on this machine\.\n.*`vouch login --paste`$/);
  });
});

test('in a container, its own loopback address is named, and another way', () => {
  const said = wayBack(4321, {}, false, true);
  expect(said).toMatch(/^The browser comes back to 127\.0\.0\.1:4321 on this machine\.\nThis is a container: /);
  expect(said).toContain('--network host');
  expect(said).toContain('`vouch lend docker`');
  expect(wayBack(4321, { SSH_CONNECTION: '192.0.2.7 50000 198.51.100.4 22' }, false, true)).toContain('ssh -L');
});

describe('vouch login', () => {
  const program = join(root, 'cli/vouch/command-line.ts');
  const ssh = { SSH_CONNECTION: '192.0.2.7 50000 198.51.100.4 22' };

  async function world() {
    const [the, issuer] = [machine(), await startFakeIssuer()];
    onTestFinished(() => issuer.close());
    return { ...the, issuer };
  }

  /** Runs it until it has printed something, and returns all that it printed. */
  async function saying(until: RegExp, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdin.end('0123456789ABCDEFGHJKMNPQRS\n');
    let said = '';
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          if (until.test(said)) resolve();
        });
      }
      child.once('close', () => reject(new Error(`It never said ${until}:\n${said}`)));
    });
    return said;
  }

  test('prints the port that it was given, and the command that forwards it', async () => {
    const { env, issuer } = await world();
    const port = await freePort();
    const args = ['login', '--no-browser', '--server', issuer.url, '--port', String(port)];
    expect(await saying(/on this machine\.\n/, args, env)).toContain(`127.0.0.1:${port} on this machine.\n`);
    expect(issuer.pushed[0]?.get('redirect_uri')).toBe(`http://127.0.0.1:${port}/callback`);
    expect(await saying(/ssh -L/, args.slice(0, 4), { ...env, ...ssh })).toMatch(
      /ssh -L (\d+):127\.0\.0\.1:\1 \S+@198\.51\.100\.4\n/,
    );
  });

  test('takes the port of the settings, unless an option has another one', async () => {
    const { env, issuer } = await world();
    const [usual, other] = [await freePort(), await freePort()];
    changeConfig(env, { server: issuer.url, callbackPort: usual });
    await saying(/on this machine\.\n/, ['login', '--no-browser'], env);
    await saying(/on this machine\.\n/, ['login', '--no-browser', '--port', String(other)], env);
    expect(issuer.pushed.map((request) => request.get('redirect_uri'))).toEqual([
      `http://127.0.0.1:${usual}/callback`,
      `http://127.0.0.1:${other}/callback`,
    ]);
  });

  test('reports that a port is taken, before anybody is asked for anything', async () => {
    const { env, issuer } = await world();
    const port = await freePort();
    const taker = createServer();
    await new Promise<void>((resolve) => taker.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void taker.close());
    const ended = await run(process.execPath, [program, 'login', '--server', issuer.url, '--port', String(port)], env);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Another program listens there') });
    expect(ended.stderr).toContain('`vouch config set callbackPort`');
    expect(issuer.pushed).toEqual([]);
  });

  test.each(['0', '65536', 'x', '-1', '80.5'])('does not take %s for a port', async (port) => {
    const { env, issuer } = await world();
    const ended = await run(process.execPath, [program, 'login', '--server', issuer.url, `--port=${port}`], env);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('a number from 1 to 65535') });
  });

  test.each([
    ['login', { BROWSER: 'false' }],
    ['login', {}],
    ['enroll', { BROWSER: 'false' }],
  ])('and whatever else opens a page reports that no browser has: %s, %j', async (command, more) => {
    const { env, issuer } = await world();
    const said = await saying(/No browser could be started[^\n]*\n/, [command, '--server', issuer.url], {
      ...env,
      ...more,
    });
    expect(said).toContain('open the address above');
    if (command === 'login') expect(said).toContain('on this machine.\n');
  });

  test('on a terminal that line begins at the start of a line', async () => {
    const { env, issuer } = await world();
    const command = `exec '${process.execPath}' '${program}' login --server ${issuer.url}`;
    const screen = onTerminal(command, { env: { ...env, BROWSER: 'false' } });
    await screen.until(/[\r\n]The browser comes back to 127\.0\.0\.1:\d+ on this machine\.\n/);
    await screen.until(/\rNo browser could be started/);
  });
});
