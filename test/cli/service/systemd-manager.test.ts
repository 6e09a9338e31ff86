import { existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { handOverSession } from '../../../cli/agent/client/hand-over.ts';
import { agentStatus, dropSession, putSession } from '../../../cli/agent/client/requests.ts';
import { startAgent } from '../../../cli/agent/client/start.ts';
import { agentStatusCommand, agentStop } from '../../../cli/vouch/commands/agent.ts';
import { viaGit } from '../agent/support.ts';
import { captured, lines, newSession, read, services, setUpProfile } from '../support.ts';
import { kill, systemdMachine, tamperWith } from './support.ts';

type The = ReturnType<typeof systemdMachine>;

const present = (the: The) => the.units.filter((path) => existsSync(path));
const [socket, service] = ['vouch-agent.socket', 'vouch-agent.service'];
const steps = [
  'daemon-reload',
  `stop ${socket} ${service}`,
  `reset-failed ${socket} ${service}`,
  `enable --now ${socket}`,
];
const undoing = [`disable --now ${socket}`, `stop ${service}`, 'daemon-reload'];

test('install makes the agent a service, and uninstall undoes it', async () => {
  const the = systemdMachine();
  const world = await services();
  // The fake passes on its own environment; systemd would use the unit's.
  the.env.AWS_ENDPOINT_URL_STS = world.url;
  setUpProfile(the);

  const { code, stdout } = await the.install();
  expect([code, the.calls()]).toEqual([0, ['show-environment', ...steps]]);
  for (const path of the.units) {
    expect(stdout).toContain(`Wrote ${path}\n`);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
  }
  expect(read(the.units[1])).toContain(`Environment="AWS_ENDPOINT_URL_STS=${world.url}"\n`);
  expect(await agentStatus(the.env)).toMatchObject({ service: 'systemd', session: null });

  const again = await the.install();
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('already, nothing to change') });
  expect(the.calls().slice(5)).toEqual(['show-environment']);
  const files = the.units.map((path) => ({ path }));
  const inJson = JSON.parse((await the.install({ json: true })).stdout);
  expect(inJson).toMatchObject({ service: 'systemd', changed: false, files: expect.arrayContaining(files) });
  const dry = JSON.parse((await the.install({ json: true, dryRun: true })).stdout);
  expect(dry.files).toContainEqual({ path: the.units[1], text: read(the.units[1]) });

  await handOverSession(newSession(world.url), the.env);
  expect(lines(await viaGit(the))).toMatchObject({ username: expect.stringMatching(/^ASIAEXAMPLE/) });
  const status = captured(the.env);
  await agentStatusCommand({}, status.io);
  expect(status.out.stdout).toMatch(/^Agent {5}running as a service of systemd since /);

  // The next one is there at once, without the session.
  const stopped = captured(the.env);
  expect(await agentStop({}, stopped.io)).toBe(0);
  expect(stopped.out.stdout).toBe(
    'The agent has ended, and your session with it\n' +
      'systemd starts a new one when it is asked for something (`vouch agent uninstall` ends that)\n',
  );
  await vi.waitFor(
    async () => expect(await agentStatus(the.env)).toMatchObject({ service: 'systemd', session: null }),
    { timeout: 30_000 },
  );
  await handOverSession(newSession(world.url), the.env);
  expect(world.count('revoke')).toBe(1);
  const gone = await the.uninstall();
  expect(gone).toMatchObject({ code: 0, stderr: '' });
  expect(gone.stdout).toContain(`Removed ${the.units[0]}\n`);
  expect(the.calls().slice(-4)).toEqual(['show-environment', ...undoing]);
  expect(world.count('revoke')).toBe(2);
  expect(present(the)).toEqual([]);
  await expect(agentStatus(the.env)).rejects.toMatchObject({ kind: 'agent-not-running' });
  expect(await the.uninstall()).toEqual({
    code: 0,
    stdout: 'The agent is not a service, nothing to change\n',
    stderr: '',
  });
  expect((await the.uninstall({ json: true })).stdout).toBe('{"removed":[]}\n');
});

describe('when a step fails', () => {
  // One step clears systemd's count of failed starts. It fails if there were none, and we ignore that.
  test.each([2, 3, 5])('step %i: nothing is left', async (number) => {
    const the = systemdMachine();
    writeFileSync(join(the.fake, 'fail-at'), String(number));
    const { code, stderr } = await the.install();
    expect(code).toBe(1);
    expect(stderr).toContain(`\`systemctl --user ${steps[number - 2]}\` failed.\n  Failed to connect to bus`);
    expect(present(the)).toEqual([]);
    expect(the.calls().slice(number)).toEqual(undoing);
    await expect(agentStatus(the.env)).rejects.toMatchObject({ kind: 'agent-not-running' });
  });

  test('the agent’s start: nothing is left', async () => {
    const the = systemdMachine();
    writeFileSync(join(the.fake, 'dead'), '');
    expect(await the.install()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the agent does not answer'),
    });
    expect([present(the), the.calls().slice(-3)]).toEqual([[], undoing]);
  });

  test('the earlier service is there again', async () => {
    const the = systemdMachine();
    await the.install();
    const before = the.units.map(read);
    the.env.NO_PROXY = 'internal.example.com';
    writeFileSync(join(the.fake, 'fail-at'), String(the.calls().length + 5));
    expect((await the.install()).code).toBe(1);
    expect(the.units.map(read)).toEqual(before);
    expect(the.calls().slice(-steps.length)).toEqual(steps);
    await vi.waitFor(async () => expect(await agentStatus(the.env)).toMatchObject({ service: 'systemd' }), {
      timeout: 30_000,
    });
  });

  test('without systemd it says so, and writes nothing', async () => {
    const the = systemdMachine();
    writeFileSync(join(the.fake, 'fail-at'), '1');
    const { code, stderr } = await the.install();
    expect([code, the.calls(), present(the)]).toEqual([1, ['show-environment'], []]);
    expect(stderr).toMatch(/cannot be reached\.\n {2}Failed to connect to bus: No medium found\n {2}Use Vouch without/);

    the.env.PATH = join(the.folder, 'nowhere');
    expect((await the.install()).stderr).toContain('There is no systemctl on the PATH.');
  });
});

test('if systemd cannot protect files, the service does without, and a note says so', async () => {
  const the = systemdMachine();
  const protecting =
    /^PrivateUsers=yes\nProtectSystem=strict\nProtectHome=read-only\nPrivateTmp=no\nPrivateDevices=yes$/m;
  // In these tests HOME is usually below /tmp too. So the agent cannot have a private /tmp.
  the.env.AWS_CONFIG_FILE = '/tmp/config';
  expect(await the.install()).toMatchObject({ code: 0, stderr: expect.stringMatching(/sees all of \/tmp, because/) });
  expect(read(the.units[1])).toMatch(protecting);
  expect(read(join(the.fake, 'run'))).toMatch(/-p PrivateUsers=yes .* grep .*\/proc\/self\/mountinfo$/m);

  writeFileSync(join(the.fake, 'no-namespaces'), '');
  expect(await the.install()).toMatchObject({ code: 0, stderr: expect.stringContaining('may write to your files') });
  expect(read(the.units[1])).not.toMatch(/^(Private|Protect)/m);
  expect(read(the.units[1])).toContain('NoNewPrivileges=yes');
  expect(await agentStatus(the.env)).toMatchObject({ service: 'systemd' });
});

describe('an agent that runs already', () => {
  test('with a session stays, unless --force ends it', async () => {
    const the = systemdMachine();
    const world = await services();
    await startAgent(the.env);
    onTestFinished(() => void dropSession(the.env).catch(() => {}));
    await putSession(newSession(world.url), the.env);
    const { pid } = await agentStatus(the.env);
    const refused = await the.install();
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the session of alice@example.com') });
    expect(present(the)).toEqual([]);
    expect((await agentStatus(the.env)).pid).toBe(pid);

    expect(await the.install({ force: true })).toMatchObject({ code: 0 });
    expect(world.count('revoke')).toBe(1);
    expect(await agentStatus(the.env)).toMatchObject({ service: 'systemd', session: null });
  });

  test('without a session ends', async () => {
    const the = systemdMachine();
    await startAgent(the.env);
    expect(await the.install()).toMatchObject({ code: 0 });
    expect(await agentStatus(the.env)).toMatchObject({ service: 'systemd' });
  });

  test('outside the service survives its end', async () => {
    const the = systemdMachine();
    await the.install();
    // systemd has given up the sockets, as it does when a service keeps failing.
    for (const name of ['holder', 'agent']) kill(join(the.fake, name));
    rmSync(join(the.fake, 'holder'));
    await startAgent(the.env);
    onTestFinished(() => void dropSession(the.env).catch(() => {}));
    const { pid, service: of } = await agentStatus(the.env);
    expect(of).toBeNull();
    expect(await the.uninstall()).toMatchObject({ code: 0 });
    expect((await agentStatus(the.env)).pid).toBe(pid);
  });
});

describe('files that Vouch did not write', () => {
  test('or that were changed since are left alone without --force', async () => {
    const the = systemdMachine();
    await the.install();
    tamperWith(the.units[1]);
    const changed = `vouch: ${the.units[1]} was changed since Vouch wrote it.`;
    expect(await the.install()).toMatchObject({ code: 1, stderr: expect.stringContaining(changed) });
    expect(await the.uninstall()).toMatchObject({ code: 1, stderr: expect.stringContaining(changed) });
    expect(present(the)).toEqual(the.units);
    expect(await the.install({ force: true })).toMatchObject({ code: 0 });
    expect(read(the.units[1])).not.toContain('# mine');
    tamperWith(the.units[0]);
    expect(await the.uninstall({ force: true })).toMatchObject({ code: 0 });
    expect(present(the)).toEqual([]);
  });

  test('at all stay', async () => {
    const the = systemdMachine();
    mkdirSync(dirname(the.units[0]), { recursive: true });
    writeFileSync(the.units[0], '[Socket]\n');
    const { code, stderr } = await the.install();
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${the.units[0]} was not written by Vouch.`)]);
    expect(await the.uninstall()).toMatchObject({ code: 1 });
    expect(read(the.units[0])).toBe('[Socket]\n');
    expect(the.calls().join()).not.toContain('daemon-reload');
  });
});

test.each([
  [
    'elsewhere',
    'XDG_RUNTIME_DIR=/run/user/12345',
    /Vouch looks in .*\/run\/vouch, and systemd has \/run\/user\/12345\/vouch/,
  ],
  ['nowhere', '', /systemd has no folder for sockets/],
])('with sockets %s for systemd than for Vouch there is no service', async (_, runtime, why) => {
  const the = systemdMachine();
  writeFileSync(join(the.fake, 'runtime'), runtime);
  expect(await the.install()).toMatchObject({ code: 1, stderr: expect.stringMatching(why) });
  expect(present(the)).toEqual([]);
});

test('--dry-run shows the units, and changes nothing', async () => {
  const the = systemdMachine();
  const { code, stdout } = await the.install({ dryRun: true });
  expect([code, the.calls(), present(the)]).toEqual([0, ['show-environment'], []]);
  expect(stdout).toContain(`${the.units[0]}:\n    # Written by`);
  expect(stdout).toContain('    ListenStream=%t/vouch/agent.sock\n');
  expect(stdout).toContain('    NoNewPrivileges=yes\n');
});

test('a proxy’s password is not written to the disk', async () => {
  const the = systemdMachine();
  the.env.HTTPS_PROXY = 'http://alice:hunter2@proxy.example.com:3128';
  const { code, stdout, stderr } = await the.install();
  expect([code, present(the)]).toEqual([1, []]);
  expect(stderr).toContain('HTTPS_PROXY contains a user name or password');
  expect(stdout + stderr).not.toContain('hunter2');
});
