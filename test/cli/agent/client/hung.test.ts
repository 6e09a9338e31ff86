import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { endHungAgent } from '../../../../cli/agent/client/end-hung.ts';
import { handOverSession } from '../../../../cli/agent/client/hand-over.ts';
import { agentStatus, putSession } from '../../../../cli/agent/client/requests.ts';
import { startAgent } from '../../../../cli/agent/client/start.ts';
import { startOf } from '../../../../cli/runtime-folder/pid-file.ts';
import { prepareRuntimeFolder } from '../../../../cli/runtime-folder/prepare-folder.ts';
import { agentStop } from '../../../../cli/vouch/commands/agent.ts';
import { logout } from '../../../../cli/vouch/commands/logout.ts';
import {
  captured,
  gitRequest,
  type Machine,
  machine,
  newSession,
  root,
  run,
  runCommand,
  services,
} from '../../support.ts';
import { agentMachine, gone, inAgentsPlace } from '../support.ts';

const pidFile = (the: Machine) => join(dirname(the.agentSocket), 'agent.pid');

/** An agent that was stopped, as by a debugger: it listens, but does not answer. */
async function stoppedAgent() {
  const the = agentMachine();
  await startAgent(the.env);
  const { pid } = await agentStatus(the.env);
  process.kill(pid, 'SIGSTOP');
  // Its threads stop one after the other, some time after the signal.
  if (process.platform === 'linux') {
    await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, 'latin1')).toMatch(/\) T /));
  }
  onTestFinished(async () => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {}
    await gone(pid);
  });
  return { ...the, pid };
}

/** A process in the agent's place. It closes every connection at once, or runs its program. */
async function hangsUp(
  program = 'net.createServer((socket) => socket.destroy()).listen(process.argv[1], () => console.log(1))',
) {
  const the = agentMachine();
  prepareRuntimeFolder(the.env);
  const child = spawn(process.execPath, ['-e', program, the.agentSocket]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  writeFileSync(pidFile(the), `${child.pid} ${startOf(child.pid ?? 0)}\n`);
  return { ...the, ended };
}

// Only Linux has a file with that.
if (process.platform === 'linux') {
  test('Git does not wait for a stopped one: the program runs, waits for a while and reports it', async () => {
    const the = await stoppedAgent();
    // A program that does not wait, in the place of our own.
    const program = join(the.folder, 'program');
    writeFileSync(program, '#!/bin/sh\necho quit=1\n', { mode: 0o755 });
    const helper = join(root, 'cli/git-credential-vouch/git-credential-vouch');
    const { stdout } = await run('sh', [helper, '--node', program, 'get'], the.env, gitRequest);
    expect(stdout).toBe('quit=1\n');
  });
}

test('vouch status reports that it hangs, and vouch agent stop ends it', async () => {
  const the = await stoppedAgent();
  const { code, stderr } = await run(process.execPath, [join(root, 'cli/vouch/command-line.ts'), 'status'], the.env);
  expect([code, stderr]).toEqual([
    1,
    'vouch: The vouch agent does not answer.\n' +
      '  It gave no answer within 5 seconds, so it hangs or was stopped.\n' +
      '  Run `vouch agent stop`, which ends it, then `vouch login`.\n',
  ]);
  const { out, io } = captured(the.env);
  expect([await agentStop({}, io), out]).toEqual([
    0,
    {
      stdout: 'The agent has ended, and a session that it had: at the server that ends by itself\n',
      stderr: 'vouch: The agent does not answer, so its process is ended.\n',
    },
  ]);
  await gone(the.pid);
  expect(await startAgent(the.env)).toEqual({ started: true });
});

test('it is also ended by a client that reaches its folder by another name', async () => {
  const the = await stoppedAgent();
  const link = join(the.folder, 'link');
  symlinkSync(the.env.XDG_RUNTIME_DIR ?? '', link);
  const { out, io } = captured({ ...the.env, XDG_RUNTIME_DIR: link });
  expect([await agentStop({}, io), out.stdout]).toEqual([0, expect.stringMatching(/^The agent has ended/)]);
  await gone(the.pid);
});

test('vouch logout ends it too: nothing is left that could be used', async () => {
  const the = await stoppedAgent();
  const { out, io } = captured(the.env);
  expect([await logout({ json: true }, io), out]).toEqual([
    0,
    {
      stdout: '{"signedOut":true,"revoked":false}\n',
      stderr: 'vouch: The agent does not answer, so its process is ended.\n',
    },
  ]);
  await gone(the.pid);
});

test('a login ends it, says so, and hands the session to a new one', async () => {
  const the = await stoppedAgent();
  const said: string[] = [];
  await handOverSession(newSession('https://vouch.example.com'), the.env, { say: (text) => said.push(text) });
  expect(said).toEqual(['The running agent does not answer, so it is ended, and a new one takes its place.']);
  await gone(the.pid);
  expect((await agentStatus(the.env)).session?.email).toBe('alice@example.com');
});

describe('one that hangs up at once', () => {
  test('is ended by a login, and the session handed to a new one', async () => {
    const the = await hangsUp();
    const said: string[] = [];
    await handOverSession(newSession('https://vouch.example.com'), the.env, { say: (text) => said.push(text) });
    expect(said).toEqual([expect.stringContaining('does not answer, so it is ended')]);
    expect(await the.ended).toBe('SIGTERM');
    expect((await agentStatus(the.env)).session?.email).toBe('alice@example.com');
  });

  test('is ended by a logout', async () => {
    const the = await hangsUp();
    const { out, io } = captured(the.env);
    expect([await logout({ json: true }, io), out.stdout]).toEqual([0, '{"signedOut":true,"revoked":false}\n']);
    expect(await the.ended).toBe('SIGTERM');
  });

  test('but has reported its session, is ended by a logout that names the person', async () => {
    const status = JSON.stringify({ session: { email: 'alice@example.com' } });
    const the = await hangsUp(
      `http.createServer(({ method }, response) => method === 'GET' ? response.end('${status}') : response.destroy())
         .listen(process.argv[1], () => console.log(1))`,
    );
    const { out, io } = captured(the.env);
    expect([await logout({}, io), out.stdout]).toEqual([
      0,
      'Signed out alice@example.com: nothing of the session is left on this machine\n',
    ]);
    expect(await the.ended).toBe('SIGTERM');
  });
});

test('a process that does not end when it is asked to is killed', async () => {
  const the = machine();
  prepareRuntimeFolder(the.env);
  const deaf: ChildProcess = spawn(process.execPath, [
    '-e',
    'process.on("SIGTERM", () => {}); net.createServer().listen(process.argv[1], () => console.log(1))',
    the.agentSocket,
  ]);
  onTestFinished(() => void deaf.kill('SIGKILL'));
  await new Promise((resolve) => deaf.stdout?.once('data', resolve));
  const ended = new Promise((resolve) => deaf.once('exit', (_, signal) => resolve(signal)));
  writeFileSync(pidFile(the), `${deaf.pid} ${startOf(deaf.pid ?? 0)}\n`);
  await endHungAgent(the.env);
  expect(await ended).toBe('SIGKILL');
});

test.each([
  ['there is no agent.pid', (file: string) => rmSync(file)],
  ['it is garbage', (file: string) => writeFileSync(file, '-1 x\n')],
  [
    'its process began at another time',
    (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replace(/ \d+/, ' 1')),
  ],
  [
    'its process began when the machine had been started another time',
    (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replace(/[\da-f-]{36}\n/, `${randomUUID()}\n`)),
  ],
  ['its process has ended', (file: string) => writeFileSync(file, '4194304 12345\n')],
])('nothing is ended when %s, and it is said what to do by hand', async (_, change) => {
  const the = agentMachine();
  await startAgent(the.env);
  change(pidFile(the));
  await expect(endHungAgent(the.env)).rejects.toMatchObject({
    kind: 'agent-unknown',
    fix: expect.stringContaining('kill -9'),
  });
  expect((await agentStatus(the.env)).session).toBeNull();
});

test('a process that agent.pid names, and that is not an agent of this folder, is left alone', async () => {
  const the = await inAgentsPlace((socket) => socket.destroy());
  const innocent = spawn(process.execPath, [
    '-e',
    'net.createServer().listen(process.argv[1], () => console.log(1))',
    join(the.folder, 'other.sock'),
  ]);
  onTestFinished(() => void innocent.kill('SIGKILL'));
  await new Promise((resolve) => innocent.stdout.once('data', resolve));
  writeFileSync(pidFile(the), `${innocent.pid} ${startOf(innocent.pid ?? 0)}\n`);
  const { code, stdout, stderr } = await runCommand(the.env, (io) => agentStop({}, io));
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`agent.pid names process ${innocent.pid}, which has none of the agent's sockets.`);
  await expect(endHungAgent(the.env)).rejects.toMatchObject({ kind: 'agent-unknown' });
  expect([innocent.exitCode, innocent.signalCode]).toEqual([null, null]);
});

test('vouch agent stop says that it has ended when it has', async () => {
  const the = agentMachine();
  // An agent that does all that belongs to its end, but does not exit.
  const child = spawn(process.execPath, ['--require', neverEnding(the), join(root, 'cli/agent/main.ts')], {
    env: the.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const { out, io } = captured(the.env);
  expect(await agentStop({}, io)).toBe(0);
  expect(out.stdout).toBe('The agent has ended\n');
  expect(startOf(child.pid ?? 0)).toBeUndefined();
  expect(await ended).toBe('SIGKILL');
});

test('vouch agent stop does not say that an agent has ended which has another session by now', async () => {
  const the = agentMachine();
  const world = await services();
  await startAgent(the.env);
  await putSession(newSession(world.url), the.env);
  world.answers.revoke = async (response) => {
    await putSession(newSession(world.url, { email: 'bob@example.com' }), the.env);
    response.writeHead(204).end();
  };
  expect(await runCommand(the.env, (io) => agentStop({}, io))).toEqual({
    code: 1,
    stdout: '',
    stderr: 'vouch: The agent goes on: a sign-in has given it another session meanwhile.\n',
  });
  expect((await agentStatus(the.env)).session?.email).toBe('bob@example.com');
});

/** A module with which a process cannot exit, cannot become another one, and ignores polite signals. */
function neverEnding({ folder }: Machine): string {
  const file = join(folder, 'never-ending.cjs');
  writeFileSync(
    file,
    'process.execve = process.exit = () => { setInterval(() => {}, 1e6); process.on("SIGTERM", () => {}); };\n',
  );
  return file;
}

test('a process that is not ours to end is left alone, and named', async () => {
  const the = machine();
  prepareRuntimeFolder(the.env);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(the.agentSocket, resolve));
  onTestFinished(() => void server.close());
  writeFileSync(pidFile(the), `${process.pid} ${startOf(process.pid)}\n`);
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  onTestFinished(() => kill.mockRestore());
  await expect(endHungAgent(the.env)).rejects.toMatchObject({
    kind: 'agent-unknown',
    why: `Process ${process.pid} is another user's, or the system protects it.`,
  });
});

test('agent.pid is for us alone, and another agent’s is not removed', async () => {
  const the = agentMachine();
  await startAgent(the.env);
  const { pid } = await agentStatus(the.env);
  expect(statSync(pidFile(the)).mode & 0o777).toBe(0o600);
  expect(readFileSync(pidFile(the), 'utf8')).toBe(`${pid} ${startOf(pid)}\n`);
  writeFileSync(pidFile(the), '1 2\n');
  process.kill(pid, 'SIGTERM');
  await gone(pid);
  expect(readFileSync(pidFile(the), 'utf8')).toBe('1 2\n');
});

test('Ctrl-C ends the wait for one', async () => {
  let child: ChildProcess | undefined;
  const the = await inAgentsPlace(() => child?.kill('SIGINT'));
  child = spawn(process.execPath, [join(root, 'cli/vouch/command-line.ts'), 'agent', 'stop'], { env: the.env });
  expect(await new Promise((resolve) => child?.once('exit', (_, signal) => resolve(signal)))).toBe('SIGINT');
  const interrupt = new AbortController();
  const other = await inAgentsPlace(() => interrupt.abort(new Error('Ctrl-C')));
  const handingOver = handOverSession(newSession('https://vouch.example.com'), other.env, { signal: interrupt.signal });
  await expect(handingOver).rejects.toThrow('Ctrl-C');
});
