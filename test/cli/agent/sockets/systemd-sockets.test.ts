import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { agentStatus, dropSession, putSession } from '../../../../cli/agent/client/requests.ts';
import { takeGivenSockets } from '../../../../cli/agent/sockets/systemd-sockets.ts';
import { agentStop } from '../../../../cli/vouch/commands/agent.ts';
import { status } from '../../../../cli/vouch/commands/status.ts';
import {
  captured,
  gitRequest,
  lines,
  type Machine,
  machine,
  newSession,
  root,
  say,
  services,
  setUpProfile,
} from '../../support.ts';
import { hour, agent as startHere, viaGit } from '../support.ts';

/** Holds the agent's sockets, as systemd does; `start` starts the agent with them. */
async function holding(the: Machine, paths = [the.agentSocket, the.gitSocket]) {
  const program = [process.execPath, '--disable-sigusr1', join(root, 'cli/agent/main.ts')];
  const holder = join(root, 'test/cli/service/hold-sockets.ts');
  const child = spawn(process.execPath, [holder, paths.join(), ...program], {
    env: the.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await said.next()).value as string;
  onTestFinished(async () => {
    child.stdin.end();
    // This does no harm to an agent that has ended.
    await dropSession(the.env).catch(() => {});
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  expect(await next()).toBe('holding');
  return { start: () => child.stdin.write('!'), next };
}

const inodes = (the: Machine) => [the.agentSocket, the.gitSocket].map((path) => lstatSync(path).ino);

describe('an agent that is given its sockets', () => {
  test('answers those who asked before it was there, and leaves the names when it ends', async () => {
    const the = machine();
    const world = await services();
    the.env.AWS_ENDPOINT_URL_STS = world.url;
    setUpProfile(the);
    const systemd = await holding(the);
    const before = inodes(the);

    // No process accepts this connection yet: it waits for the agent that it starts.
    const asked = say(the.agentSocket, 'GET /status HTTP/1.0\r\n\r\n', { end: false });
    systemd.start();
    expect(await asked).toMatch(/^HTTP\/1\.1 200 .*"service":"systemd","session":null/s);
    expect(await systemd.next()).toBe('{"state":"ready"}');
    const { out, io } = captured(the.env);
    expect(await status({}, io)).toBe(3);
    expect(out.stdout + out.stderr).toContain('vouch login');

    await putSession(newSession(world.url), the.env);
    expect(lines(await viaGit(the))).toMatchObject({ username: expect.stringMatching(/^ASIAEXAMPLE/) });
    expect(await agentStatus(the.env)).toMatchObject({ service: 'systemd', session: { email: 'alice@example.com' } });

    const stopped = captured(the.env);
    expect(await agentStop({}, stopped.io)).toBe(0);
    expect(stopped.out.stdout).toContain('your session with it');
    expect(await systemd.next()).toBe('ended with 0');
    expect(inodes(the)).toEqual(before);

    // The next agent starts without a session.
    const answer = viaGit(the, gitRequest);
    systemd.start();
    expect(await answer).toBe('');
    expect((await agentStatus(the.env)).session).toBeNull();
    expect(inodes(the)).toEqual(before);
  });

  test('leaves the names on SIGTERM', async () => {
    const the = machine();
    const systemd = await holding(the);
    const before = inodes(the);
    systemd.start();
    expect(await systemd.next()).toBe('{"state":"ready"}');
    const { pid } = await agentStatus(the.env);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('agent/main.ts');
    process.kill(pid, 'SIGTERM');
    expect(await systemd.next()).toBe('ended with 0');
    expect(inodes(the)).toEqual(before);
  });

  test.each([
    ['in the wrong order', (the: Machine) => [the.gitSocket, the.agentSocket], /One of them is .*git\.sock/],
    ['of another folder', (the: Machine) => ['agent', 'git'].map((name) => join(the.folder, name)), /should be/],
    ['of another number', (the: Machine) => [the.agentSocket], /There should be 2, and there are 1/],
  ])('refuses sockets %s', async (_, paths, why) => {
    const the = machine();
    const systemd = await holding(the, paths(the));
    systemd.start();
    expect(JSON.parse(await systemd.next())).toMatchObject({
      state: 'failed',
      problem: { type: 'urn:vouch:problem:given-sockets', why: expect.stringMatching(why) },
    });
    expect(await systemd.next()).toBe('ended with 1');
  });
});

test('variables about another process’s sockets are ignored, and passed on to nobody', () => {
  const env = { LISTEN_PID: String(process.pid + 1), LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', HOME: '/' };
  expect(takeGivenSockets(env)).toBeUndefined();
  expect(env).toEqual({ HOME: '/' });
  const ours: NodeJS.ProcessEnv = { LISTEN_PID: String(process.pid), LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' };
  expect(takeGivenSockets(ours)).toEqual({ agent: 3, git: 4 });
  expect(ours).toEqual({});
  expect(takeGivenSockets({})).toBeUndefined();
});

test('launchd’s agent, which nobody starts on request, waits for its first session, and makes way after its last', async () => {
  const { running, clock, env } = await startHere({ service: 'launchd' });
  clock.now += 100 * hour;
  expect(running.agent.done).toBe(false);
  expect(await agentStatus(env)).toMatchObject({ service: 'launchd', session: null });
  await putSession(newSession('http://localhost:1', { expiresAt: new Date(clock.now + hour).toISOString() }), env);
  clock.now += hour;
  expect(running.agent.done).toBe(false);
  clock.now += hour;
  expect(running.agent.done).toBe(true);
});
