import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { handOverSession } from '../../../../cli/agent/client/hand-over.ts';
import { agentStatus, awsCredentials, dropSession, putSession } from '../../../../cli/agent/client/requests.ts';
import { startAgent } from '../../../../cli/agent/client/start.ts';
import { checkRuntimeFolder } from '../../../../cli/runtime-folder/check-folder.ts';
import { checkSocketPath } from '../../../../cli/runtime-folder/check-socket.ts';
import { agentStart, agentStatusCommand, agentStop } from '../../../../cli/vouch/commands/agent.ts';
import { credentialAws } from '../../../../cli/vouch/commands/credential.ts';
import { captured, type Machine, machine, newSession, role, root, run, runCommand, services } from '../../support.ts';
import { agentMachine, compilingWithoutEnd, gone } from '../support.ts';

const sockets = (the: Machine) => readdirSync(dirname(the.agentSocket)).sort();

describe('the agent as a process', () => {
  test('starts, answers on sockets of mode 0600 in a folder of mode 0700, and is found running', async () => {
    const the = agentMachine();
    expect(await startAgent(the.env)).toEqual({ started: true });
    expect(await startAgent(the.env)).toEqual({ started: false });
    expect(sockets(the)).toEqual(['agent.pid', 'agent.sock', 'git.sock']);
    expect(statSync(dirname(the.agentSocket)).mode & 0o777).toBe(0o700);
    for (const path of [the.agentSocket, the.gitSocket]) expect(lstatSync(path).mode & 0o777).toBe(0o600);
    const { pid } = await agentStatus(the.env);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('--disable-sigusr1');
  });

  test('may not dump its memory into a file', async () => {
    const the = agentMachine();
    // As large as this machine allows, so that it is not 0 before.
    const start = [
      '-c',
      'ulimit -S -c "$(ulimit -H -c)"; exec "$@"',
      'sh',
      process.execPath,
      join(root, 'cli/vouch/command-line.ts'),
    ];
    expect(await run('/bin/sh', [...start, 'agent', 'start'], the.env)).toMatchObject({ code: 0 });
    const { pid } = await agentStatus(the.env);
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 /m);
    // If the system hands dumps to a program, the limit does not count, but the dumps are empty.
    expect(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8')).toBe('00000000\n');
  });

  test('gets only the part of the environment that it obeys', async () => {
    const the = agentMachine();
    const coverage = join(the.folder, 'coverage');
    // In the process's own environment, because Node passes this variable on.
    process.env.NODE_V8_COVERAGE = coverage;
    onTestFinished(() => void delete process.env.NODE_V8_COVERAGE);
    the.env.NODE_V8_COVERAGE = coverage;
    the.env.NODE_DEBUG = 'net';
    the.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    the.env.NODE_OPTIONS = '"--inspect=127.0.0.1:0" --heap_prof --tls-keylog=keys --dns-result-order=ipv4first';
    the.env.AWS_SECRET_ACCESS_KEY = 'of-another-tool';
    the.env.NO_PROXY = 'internal.example.com';
    await startAgent(the.env);
    const { pid } = await agentStatus(the.env);
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    const names = environment.map((line) => line.replace(/=.*/s, ''));
    // The shell that becomes the agent prints its folder.
    expect(names.filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)).sort()).toEqual([
      'HOME',
      'LC_ALL',
      'MALLOC_ARENA_MAX',
      'NODE_OPTIONS',
      'NO_PROXY',
      'XDG_RUNTIME_DIR',
    ]);
    expect(environment).toContain('NODE_OPTIONS=--dns-result-order=ipv4first');
    process.kill(pid, 'SIGTERM');
    await gone(pid);
    expect(existsSync(coverage)).toBe(false);
  });

  test('closes only the descriptors in its list: others may belong to Node’s threads', async () => {
    const the = agentMachine();
    const stdio = Array.from({ length: 201 }, (_, fd) => (fd === 20 || fd === 200 ? 'pipe' : 'ignore')) as 'pipe'[];
    const child = spawn(process.execPath, [join(root, 'cli/agent/main.ts'), '--inherited=200'], {
      env: the.env,
      stdio,
    });
    const [kept, told] = [20, 200].map((fd) => (child.stdio[fd] as Readable).resume()) as [Readable, Readable];
    await once(told, 'end');
    await vi.waitFor(() => agentStatus(the.env), { timeout: 20_000 });
    expect(kept.readableEnded).toBe(false);
  });

  test('keeps no descriptor of its starter', async () => {
    const the = agentMachine();
    const command = [join(root, 'cli/vouch/command-line.ts'), 'agent', 'start'];
    // Pipes at 5 and at 200. The ends that we read end when no process has the other ends.
    const stdio = Array.from({ length: 201 }, (_, fd) => (fd === 5 || fd === 200 ? 'pipe' : 'ignore')) as 'pipe'[];
    const child = spawn(process.execPath, command, { env: the.env, stdio });
    const ends = [5, 200].map((fd) => once((child.stdio[fd] as Readable).resume(), 'end'));
    expect(await once(child, 'close')).toEqual([0, null]);
    await Promise.all(ends);
    const { pid } = await agentStatus(the.env);
    expect(pid).toBeGreaterThan(1);
  });

  test('is gone at once when it ends, whatever V8 still does', async () => {
    const the = agentMachine();
    const child = spawn(process.execPath, [...compilingWithoutEnd(the.folder), join(root, 'cli/agent/main.ts')], {
      env: the.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'])('leaves nothing behind on %s', async (signal) => {
    const the = agentMachine();
    await startAgent(the.env);
    const { pid } = await agentStatus(the.env);
    process.kill(pid, signal);
    await gone(pid);
    expect(sockets(the)).toEqual([]);
  });

  test('after kill -9 the stale sockets stand in nobody’s way', async () => {
    const the = agentMachine();
    await startAgent(the.env);
    const { pid } = await agentStatus(the.env);
    process.kill(pid, 'SIGKILL');
    await gone(pid);
    expect(sockets(the)).toEqual(['agent.pid', 'agent.sock', 'git.sock']);
    await expect(agentStatus(the.env)).rejects.toMatchObject({ kind: 'agent-not-running' });
    expect(await startAgent(the.env)).toEqual({ started: true });
    expect((await agentStatus(the.env)).pid).not.toBe(pid);
    expect(sockets(the)).toEqual(['agent.pid', 'agent.sock', 'git.sock']);
  });

  test.each(['a clean folder', 'stale sockets'])('two starts at once leave exactly one, with %s', async (before) => {
    const the = agentMachine();
    // The first agent leaves what the second one finds; owned-socket.test.ts has many more rounds.
    for (let round = 0; round < (before === 'stale sockets' ? 2 : 1); round++) {
      const children = Array.from({ length: 5 }, () =>
        spawn(process.execPath, [join(root, 'cli/agent/main.ts')], {
          env: the.env,
          stdio: ['ignore', 'pipe', 'inherit'],
        }),
      );
      const said = await Promise.all(
        children.map(
          (child) => new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data)))),
        ),
      );
      expect(said.sort()).toEqual(['{"state":"ready"}\n', ...Array(4).fill('{"state":"running"}\n')]);
      const { pid } = await agentStatus(the.env);
      expect(sockets(the)).toEqual(['agent.pid', 'agent.sock', 'git.sock']);
      process.kill(pid, before === 'stale sockets' ? 'SIGKILL' : 'SIGTERM');
      await Promise.all(
        children.map((child) => child.exitCode ?? child.signalCode ?? new Promise((r) => child.once('exit', r))),
      );
    }
  });

  test('takes a session over from a login, serves it, and is gone after the logout', async () => {
    const the = agentMachine();
    const world = await services();
    await handOverSession(newSession(world.url), { ...the.env, AWS_ENDPOINT_URL_STS: world.url });
    const { pid } = await agentStatus(the.env);

    const { out, io } = captured({ ...the.env, AWS_REGION: 'eu-west-1' });
    expect(await credentialAws({ role }, io)).toBe(0);
    const { expiration, ...secrets } = await awsCredentials(role, 'eu-west-1', the.env);
    expect(JSON.parse(out.stdout)).toEqual({
      Version: 1,
      AccessKeyId: secrets.accessKeyId,
      SecretAccessKey: secrets.secretAccessKey,
      SessionToken: secrets.sessionToken,
      Expiration: expiration,
    });

    expect(await dropSession(the.env)).toEqual({ revoked: true });
    expect(sockets(the)).toEqual([]);
    await gone(pid);
  });

  test('a session is handed to a new agent when the one that was there has ended', async () => {
    const the = agentMachine();
    await startAgent(the.env);
    const { pid } = await agentStatus(the.env);
    process.kill(pid, 'SIGKILL');
    await gone(pid);
    await handOverSession(newSession('https://vouch.example.com'), the.env);
    expect((await agentStatus(the.env)).session?.email).toBe('alice@example.com');
  });

  test('keeps nothing on disk', async () => {
    const the = agentMachine();
    const world = await services();
    await startAgent({ ...the.env, AWS_ENDPOINT_URL_STS: world.url });
    await putSession(newSession(world.url), the.env);
    const { secretAccessKey } = await awsCredentials(role, undefined, the.env);
    const files = readdirSync(the.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const file of files) {
      expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toMatch(/access\.token|sessiontoken/);
      expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toContain(secretAccessKey);
    }
    expect(sockets(the)).toEqual(['agent.pid', 'agent.sock', 'git.sock']);
  });
});

describe('the folder', () => {
  const folder = (the: Machine) => dirname(the.agentSocket);

  test.each([
    ['is a symbolic link', (path: string) => symlinkSync('.', path), /symbolic link/],
    ['is a file', (path: string) => writeFileSync(path, ''), /not a folder/],
    ['lets others in', (path: string) => mkdirSync(path) ?? chmodSync(path, 0o755), /mode is 0755/],
  ])('that %s is refused', async (_, make, why) => {
    const the = machine();
    make(folder(the));
    const refused = { kind: 'unsafe-folder', why: expect.stringMatching(why) };
    await expect(startAgent(the.env)).rejects.toMatchObject(refused);
    await expect(agentStatus(the.env)).rejects.toMatchObject(refused);
  });

  test('of another user is refused', () => {
    const the = machine();
    mkdirSync(folder(the), { mode: 0o700 });
    // Root can give a folder away. Other users can read root's folders anyway.
    const superuser = process.getuid?.() === 0;
    if (superuser) chownSync(folder(the), 12345, 12345);
    expect(() => checkRuntimeFolder(superuser ? folder(the) : '/')).toThrow(
      expect.objectContaining({
        kind: 'unsafe-folder',
        why: expect.stringContaining(`It belongs to user ${superuser ? 12345 : 0}`),
      }),
    );
  });

  test('with something else in the socket’s place is not touched', async () => {
    const the = machine();
    mkdirSync(folder(the), { mode: 0o700 });
    writeFileSync(the.agentSocket, 'precious');
    const refused = { kind: 'foreign-socket', why: 'It is not a socket.' };
    await expect(startAgent(the.env)).rejects.toMatchObject(refused);
    await expect(agentStatus(the.env)).rejects.toMatchObject(refused);
    expect(readFileSync(the.agentSocket, 'utf8')).toBe('precious');
    // Waits for the end of an agent that could not start.
    const { code, stdout } = await run(process.execPath, [join(root, 'cli/agent/main.ts')], the.env);
    expect([code, JSON.parse(stdout).state]).toEqual([1, 'failed']);
    expect(sockets(the)).toEqual(['agent.sock']);
  });

  test('with a socket of another user is not asked', async () => {
    const the = machine();
    mkdirSync(folder(the), { mode: 0o700 });
    let asked = 0;
    const server = createServer((socket) => {
      asked++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(the.agentSocket, resolve));
    onTestFinished(() => void server.close());
    // Only root could give the folder away, so it is ours, and then we become another user.
    const me = process.getuid?.() ?? 0;
    const getuid = vi.spyOn(process, 'getuid').mockReturnValueOnce(me).mockReturnValue(12345);
    onTestFinished(() => getuid.mockRestore());
    await expect(putSession(newSession('https://vouch.example.com'), the.env)).rejects.toMatchObject({
      kind: 'foreign-socket',
      why: `It belongs to user ${me}.`,
    });
    expect(asked).toBe(0);
  });

  test('with too long a path is explained', async () => {
    const the = machine();
    const long = join(the.folder, 'x'.repeat(100));
    mkdirSync(long);
    const refused = { kind: 'socket-path', fix: expect.stringContaining('XDG_RUNTIME_DIR') };
    await expect(startAgent({ ...the.env, XDG_RUNTIME_DIR: long })).rejects.toMatchObject(refused);
    await expect(agentStatus({ ...the.env, XDG_RUNTIME_DIR: long })).rejects.toMatchObject(refused);
    expect(() => checkSocketPath('x'.repeat(104), 'darwin')).toThrow();
    expect(() => checkSocketPath('x'.repeat(104), 'linux')).not.toThrow();
  });

  test('is wiped under the agent: a new one can start', async () => {
    const the = agentMachine();
    await startAgent(the.env);
    const { pid } = await agentStatus(the.env);
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    rmSync(folder(the), { recursive: true });
    expect(await startAgent(the.env)).toEqual({ started: true });
  });

  test('a silent listener in its place is not reported as a missing agent', async () => {
    const the = machine();
    mkdirSync(folder(the), { mode: 0o700 });
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(the.agentSocket, resolve));
    onTestFinished(() => void server.close());
    await expect(agentStatus(the.env)).rejects.toMatchObject({ kind: 'agent-silent', exitCode: 1 });
  });
});

test('vouch agent start, status, stop', async () => {
  const the = agentMachine();
  const say = async (command: typeof agentStart, options = {}) => {
    const { out, io } = captured(the.env);
    return [await command(options, io), out.stdout + out.stderr];
  };
  expect(await say(agentStatusCommand)).toEqual([3, 'No agent is running\n']);
  expect(await say(agentStatusCommand, { json: true })).toEqual([3, '{"running":false}\n']);
  expect(await say(agentStart)).toEqual([0, 'The agent is running. Next: `vouch login`\n']);
  expect(await say(agentStart)).toEqual([0, 'The agent is already running\n']);
  expect(await say(agentStatusCommand)).toEqual([
    0,
    expect.stringMatching(/^Agent {5}running since .*\nSession {3}none: run `vouch login`\n$/),
  ]);
  expect(await say(agentStop)).toEqual([0, 'The agent has ended\n']);
  expect(await say(agentStop)).toEqual([0, 'No agent is running\n']);
  expect(await say(agentStart, { json: true })).toEqual([0, '{"running":true,"started":true}\n']);
  expect(await say(agentStart, { json: true })).toEqual([0, '{"running":true,"started":false}\n']);
  expect(await say(agentStop, { json: true })).toEqual([0, '{"stopped":true,"hadSession":false,"revoked":null}\n']);
  expect(await say(agentStop, { json: true })).toEqual([0, '{"stopped":false,"hadSession":false,"revoked":null}\n']);
});

test('vouch credential aws without a session says what, why and what to do', async () => {
  const the = machine();
  expect(await runCommand(the.env, (io) => credentialAws({ role }, io))).toEqual({
    code: 3,
    stdout: '',
    stderr: 'vouch: You are not signed in.\n  No vouch agent is running.\n  Run `vouch login`, then try again.\n',
  });
  expect(await runCommand(the.env, (io) => credentialAws({ role: 'x' }, io))).toMatchObject({ code: 2 });
});
