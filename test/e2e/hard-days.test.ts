import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgetDefault } from '../sandbox/accounts.ts';
import { PERSON, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

let sandbox: Sandbox;
let url: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  url = sandbox.repositoryUrl;
});
afterAll(() => sandbox?.close());

const agent = async () => JSON.parse((await sandbox.run('vouch', ['agent', 'status', '--json'])).stdout);
const lsRemote = () => sandbox.run('git', ['ls-remote', url]);

/** Starts `vouch login`, and waits for the address that it prints. */
async function startLogin(args: string[]) {
  const child = spawn('vouch', ['login', ...args], { env: sandbox.env, cwd: sandbox.home, stdio: 'pipe' });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, stderr }));
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /http:\/\/\S+/.exec(line)?.[0];
    if (address !== undefined) return { child, address, ended };
  }
  throw new Error(`vouch login printed no address: ${stderr}`);
}

describe.sequential('a hard day', () => {
  test('kill -9 of the agent: Git says what to do, and the next login works in spite of the stale sockets', async () => {
    await sandbox.succeed('vouch', ['login']);
    expect((await lsRemote()).code).toBe(0);
    const { pid } = await agent();
    process.kill(pid, 'SIGKILL');
    const refused = await lsRemote();
    expect(refused).toMatchObject({ code: 128, stderr: expect.stringContaining('Run `vouch login`, then try again.') });
    expect(refused.stderr).not.toMatch(/Username|Password/);
    // The killed agent has left its sockets.
    const sockets = join(String(sandbox.env.XDG_RUNTIME_DIR), 'vouch');
    expect(existsSync(join(sockets, 'agent.sock'))).toBe(true);
    await sandbox.succeed('vouch', ['login']);
    expect((await lsRemote()).code).toBe(0);
    await sandbox.succeed('vouch', ['logout']);
    expect(readdirSync(sockets)).toEqual([]);
  });

  test('kill -9 of the server right after it confirmed an enrolment: after a restart the key signs in', async () => {
    const { code } = JSON.parse(
      (await sandbox.succeed('vouch-server', ['invite', 'bob@example.com', '--json'])).stdout,
    );
    const alices = (await sandbox.browser?.credentials()) ?? [];
    const config = join(sandbox.home, '.config/vouch/config.json');
    const alicesConfig = readFileSync(config);
    await sandbox.browser?.changeKey();
    await sandbox.succeed('vouch', ['enroll', '--server', sandbox.issuer], { input: sandbox.typed(code) });
    await sandbox.server.kill();
    const down = await sandbox.run('vouch', ['login']);
    expect(down).toMatchObject({ code: 4, stderr: expect.stringContaining('could not be reached') });
    await sandbox.server.start();
    const signedIn = await sandbox.succeed('vouch', ['login']);
    expect(signedIn.stdout).toContain('Signed in as bob@example.com with "Security key"');
    await sandbox.succeed('vouch', ['logout']);
    await sandbox.browser?.changeKey(alices);
    // Without a terminal `vouch login` cannot ask whether a change of person is meant, and refuses.
    expect(await sandbox.run('vouch', ['login'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('alice@example.com signed in here, and last time it was bob@example.com'),
    });
    expect((await lsRemote()).stderr).toContain('You are not signed in');
    writeFileSync(config, alicesConfig);
  });

  test('a key that is not enrolled does not sign in, and Ctrl-C ends the wait', async () => {
    const alices = (await sandbox.browser?.credentials()) ?? [];
    await sandbox.browser?.changeKey();
    const { child, ended } = await startLogin([]);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).not.toContain('vouch:');
    // The agent that it had started has ended with it.
    expect(await agent()).toEqual({ running: false });
    await sandbox.browser?.changeKey(alices);
  });

  test('a cancelled login does not end the session of another login', async () => {
    const { child, ended } = await startLogin(['--no-browser']);
    await sandbox.succeed('vouch', ['login']);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect((await lsRemote()).code).toBe(0);
    await sandbox.succeed('vouch', ['logout']);
  });

  test('--timeout ends the wait with a message, and leaves nothing running', async () => {
    const { address, ended } = await startLogin(['--no-browser', '--timeout', '1']);
    expect(address).toMatch(/\/s\/[0-9a-z]{5}-[0-9a-z]{5}$/);
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toContain('vouch: Nobody signed in within 1 second.');
    expect(await agent()).toEqual({ running: false });
  });

  test('--no-browser prints the address, which signs in when opened by hand', async () => {
    const { address, ended } = await startLogin(['--no-browser']);
    await sandbox.browser?.open(address);
    expect((await ended).code).toBe(0);
    await sandbox.succeed('vouch', ['logout']);
  });

  test('cancelled in the browser: the terminal says so at once', async () => {
    const { address, ended } = await startLogin(['--no-browser']);
    const alices = (await sandbox.browser?.credentials()) ?? [];
    await sandbox.browser?.changeKey();
    const page = await sandbox.browser?.open(address);
    // The empty key is refused; the person gives up.
    const cancel = await page?.waitForSelector('[data-cancel]');
    await cancel?.click();
    const { code, stderr } = await ended;
    expect(code).toBe(5);
    expect(stderr).toContain('vouch: The sign-in was cancelled in the browser.');
    await sandbox.browser?.changeKey(alices);
  });

  test('a second key for a person who has one needs a touch of the first', async () => {
    const { code } = JSON.parse((await sandbox.succeed('vouch-server', ['invite', PERSON, '--json'])).stdout);
    const alices = (await sandbox.browser?.credentials()) ?? [];
    await sandbox.browser?.changeKey();
    const enrolling = await sandbox.run('vouch', ['enroll', '--timeout', '5'], { input: sandbox.typed(code) });
    // The invitation alone is not enough.
    expect(enrolling).toMatchObject({ code: 1, stderr: expect.stringContaining('not enrolled in time') });
    await sandbox.browser?.changeKey(alices);
    const spare = await sandbox.succeed('vouch', ['enroll', '--name', 'Spare key'], { input: sandbox.typed(code) });
    expect(spare.stdout).toContain('Enrolled "Spare key" for alice@example.com.');
    // The new key signs in by itself.
    const first = (await sandbox.browser?.credentials()) ?? [];
    await sandbox.browser?.changeKey(await sandbox.browser.drawer());
    expect((await sandbox.succeed('vouch', ['login'])).stdout).toContain('with "Spare key"');
    await sandbox.succeed('vouch', ['logout']);
    await sandbox.browser?.changeKey(first);
  });

  test('vouch keys add: the page takes a new key, which signs in, and can be removed again', async () => {
    await sandbox.succeed('vouch', ['login']);
    // Killed agents could not report the end of theirs.
    const others = await sandbox.succeed('vouch', ['sessions', 'end', '--others']);
    expect(others.stdout).toMatch(/^Ended \d sessions?\nAWS credentials issued before /);
    const added = await sandbox.succeed('vouch', ['keys', 'add', '--name', 'In the drawer']);
    expect(added.stdout).toMatch(
      /^Opening your browser to add a key at localhost:\d+\n {2}http:\S+\/account\?add&name=In%20the%20drawer\nAdded "In the drawer"\. /,
    );
    const first = (await sandbox.browser?.credentials()) ?? [];
    await sandbox.browser?.changeKey(await sandbox.browser.drawer());
    expect((await sandbox.succeed('vouch', ['login'])).stdout).toContain('with "In the drawer"');
    expect((await lsRemote()).code).toBe(0);
    const { keys } = JSON.parse((await sandbox.succeed('vouch', ['keys', 'list', '--json'])).stdout);
    expect(keys.filter(({ current }: { current: boolean }) => current)).toMatchObject([{ name: 'In the drawer' }]);
    // The login before has ended: it is not among the sessions any more.
    const { sessions } = JSON.parse((await sandbox.succeed('vouch', ['sessions', 'list', '--json'])).stdout);
    expect(sessions).toMatchObject([{ current: true, lastRole: { arn: sandbox.roleArn } }]);
    const removed = await sandbox.succeed('vouch', ['keys', 'remove', 'in the drawer', '--yes']);
    expect(removed.stdout).toMatch(
      /^Removed "In the drawer"\nYou are signed out here\. .*\nAWS credentials issued before /,
    );
    expect((await lsRemote()).stderr).toContain('You are not signed in. Run `vouch login`, then try again.');
    await sandbox.browser?.changeKey(first);
  });

  test('with several profiles, Git’s configuration names the one for a repository', async () => {
    const role = ['--role', sandbox.roleArn];
    await sandbox.succeed('vouch', ['setup', 'aws', '--profile', 'prod', ...role]);
    await sandbox.succeed('vouch', ['login']);
    const as = (profile: string) => ['-c', `credential.${url}.username=${profile}`, 'ls-remote', url];
    expect((await sandbox.run('git', as('prod'))).code).toBe(0);
    expect(await sandbox.run('git', as('nobody'))).toMatchObject({
      code: 128,
      stderr: expect.stringContaining('Vouch has no such profile'),
    });
    // A clone from before still works.
    expect(await sandbox.run('git', ['ls-remote', url])).toMatchObject({ code: 0 });
    await forgetDefault(sandbox.home);
    const several = await sandbox.run('git', ['ls-remote', url]);
    expect(several).toMatchObject({
      code: 128,
      stderr: expect.stringContaining('Several AWS profiles could serve this repository.'),
    });
    // The suggested command solves it.
    const [, command = ''] = /for this one with `vouch ([^`]+)`/.exec(several.stderr) ?? [];
    await sandbox.succeed('vouch', command.split(' '));
    expect(await sandbox.run('git', ['ls-remote', url])).toMatchObject({ code: 0 });
    await sandbox.succeed('vouch', ['setup', 'codecommit', '--remove', '--url', url]);
    await sandbox.succeed('vouch', ['setup', 'aws', '--remove', '--profile', 'prod']);
    await sandbox.succeed('vouch', ['logout']);
  });

  test('a role that does not trust the token: the refusal names the role and what to look at', async () => {
    await sandbox.succeed('vouch', ['login']);
    const role = sandbox.aws.account().role('VouchDeveloper');
    if (role === undefined) throw new Error('no role');
    const { trustPolicy, permissionPolicies } = role;
    const denied = structuredClone(trustPolicy);
    denied.Statement = [{ ...[denied.Statement].flat()[0], Action: ['sts:AssumeRoleWithWebIdentity'] } as never];
    sandbox.aws.account().addRole({ name: 'VouchDeveloper', trustPolicy: denied, permissionPolicies });
    const refused = await lsRemote();
    expect(refused.code).toBe(128);
    expect(refused.stderr).toContain(sandbox.roleArn);
    expect(refused.stderr).toMatch(/sts:TagSession/);
    sandbox.aws.account().addRole({ name: 'VouchDeveloper', trustPolicy, permissionPolicies });
    expect((await lsRemote()).code).toBe(0);
    await sandbox.succeed('vouch', ['logout']);
  });

  test('an unknown invitation code is refused with a clear message', async () => {
    const refused = await sandbox.run('vouch', ['enroll', '--server', sandbox.issuer], {
      input: `${'A'.repeat(26)}\n`,
    });
    expect(refused).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/This invitation cannot be used.*Check the code and try again/s),
    });
    const nothing = await sandbox.run('vouch', ['enroll', '--server', sandbox.issuer]);
    expect(nothing).toMatchObject({ code: 2, stderr: expect.stringContaining('No invitation code was given.') });
  });
});
