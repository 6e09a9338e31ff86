import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { prepareRuntimeFolder } from '../../../cli/runtime-folder/prepare-folder.ts';
import { machine, root, run } from '../support.ts';
import { startFakeIssuer } from './fake-issuer.ts';

const program = join(root, 'cli/vouch/command-line.ts');

async function issuer() {
  const started = await startFakeIssuer();
  onTestFinished(() => started.close());
  return started;
}

describe('what fails, fails before the person is asked, and ends', () => {
  test('a folder for the sockets that is not safe', async () => {
    const the = machine();
    const server = await issuer();
    mkdirSync(dirname(the.agentSocket));
    chmodSync(dirname(the.agentSocket), 0o777);
    const ended = await run(process.execPath, [program, 'login', '--server', server.url], the.env);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('chmod 1700') });
    expect(server.pushed).toEqual([]);
  });

  test('something in the agent’s place that hangs up, of which nobody knows which process it is', async () => {
    const the = machine();
    const server = await issuer();
    prepareRuntimeFolder(the.env);
    const silent = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => silent.listen(the.agentSocket, resolve));
    onTestFinished(() => void silent.close());
    const ended = await run(process.execPath, [program, 'login', '--server', server.url], the.env);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('not certain which process it is') });
    expect(server.pushed).toEqual([]);
  });

  test('an environment in which Node would take anybody’s certificate', async () => {
    const the = machine();
    const server = await issuer();
    the.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    for (const command of ['login', 'enroll']) {
      const ended = await run(process.execPath, [program, command, '--server', server.url], the.env, 'a-code\n');
      expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('unset NODE_TLS_REJECT_UNAUTHORIZED') });
    }
    expect(server.pushed).toEqual([]);
  });

  test('settings that cannot be read', async () => {
    const the = machine();
    const server = await issuer();
    mkdirSync(join(String(the.env.HOME), '.config/vouch'), { recursive: true });
    writeFileSync(join(String(the.env.HOME), '.config/vouch/config.json'), '{bad');
    for (const command of ['login', 'enroll']) {
      const ended = await run(process.execPath, [program, command, '--server', server.url], the.env);
      expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('settings cannot be read') });
    }
    expect(server.pushed).toEqual([]);
  });
});

describe('Ctrl-C and --timeout', () => {
  test('a server that does not answer is named, and Ctrl-C ends the wait for it', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const host = `localhost:${(silent.address() as AddressInfo).port}`;
    const child = spawn(process.execPath, [program, 'login', '--server', `http://${host}`], {
      env: machine().env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const said = await new Promise<string>((resolve) => child.stderr.once('data', (data) => resolve(String(data))));
    child.kill('SIGINT');
    expect([said, await ended]).toEqual([`Waiting for ${host} …\n`, 130]);
  });

  /** `vouch enroll` with a silent pipe on standard input. */
  async function waitingForInput(args: string[]) {
    const server = (await issuer()).url;
    const child = spawn(process.execPath, [program, 'enroll', '--server', server, ...args], {
      env: machine().env,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, ended };
  }

  test('end the wait for an invitation code on a pipe', async () => {
    expect(await (await waitingForInput(['--timeout', '0.5'])).ended).toBe(1);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends a login that waits, with status %i', async (signal, code) => {
    const server = await issuer();
    const args = [program, 'login', '--no-browser', '--server', server.url];
    const child = spawn(process.execPath, args, { env: machine().env, stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.stdout.once('data', () => child.kill(signal));
    expect(await ended).toBe(code);
  });
});
