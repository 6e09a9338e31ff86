import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountKeys } from '../../../../cli/agent/client/account-requests.ts';
import { agentStatus, roleClaims } from '../../../../cli/agent/client/requests.ts';
import { keysList, keysRename } from '../../../../cli/vouch/commands/keys.ts';
import { keysRemove } from '../../../../cli/vouch/commands/keys-remove.ts';
import { Browser } from '../../../server/browser.ts';
import { CliClient } from '../../../server/cli-client.ts';
import type { SoftKey } from '../../../server/soft-key.ts';
import { SignIn, signIn, startServer, type TestServer } from '../../../server/support.ts';
import { onTerminal } from '../../../support/terminal.ts';
import { personWithTwoKeys } from '../../account/person.ts';
import { signedIn } from '../../agent/support.ts';
import { captured, machine, role, root, runCommand } from '../../support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const namesOf = async (env: NodeJS.ProcessEnv) => (await accountKeys(env)).map(({ name }) => name);
const list = (env: NodeJS.ProcessEnv, json = false) => runCommand(env, (io) => keysList({ json }, io));
const rename = (env: NodeJS.ProcessEnv, key: string, name: string, json = false) =>
  runCommand(env, (io) => keysRename(key, name, { json }, io));
const remove = (env: NodeJS.ProcessEnv, key: string, options = {}) =>
  runCommand(env, (io) => keysRemove(key, { yes: true, ...options }, io));

/** As if the person had touched their key six minutes earlier. */
async function ageTouches(email: string): Promise<void> {
  await server.context.store
    .updateTable('sessions')
    .set((is) => ({ auth_time: is('auth_time', '-', 6 * 60_000) }))
    .where('person_id', 'in', (is) => is.selectFrom('people').select('id').where('email', '=', email))
    .execute();
}

describe('vouch keys list', () => {
  test('shows the keys, on a terminal of any width', async () => {
    const { env } = await personWithTwoKeys(server);
    const { code, stdout, stderr } = await list(env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^NAME {10}MODEL {2}ADDED {8,9}LAST USED\nSecurity key {2}- {6}\d+ \w{3} \d{4} {2,3}today \d\d:\d\d {2}this session\nSpare key {5}- {6}\d+ \w{3} \d{4} {2,3}never\n$/,
    );
    const { io, out } = captured(env);
    await keysList({}, { ...io, stdout: { ...io.stdout, columns: 40 } });
    expect(out.stdout).toMatch(
      /^Security key \(this session\)\n {2}added \d+ \w{3} \d{4}\n {2}last used today \d\d:\d\d\nSpare key\n {2}added .*\n {2}last used never\n$/,
    );
  });

  test('gives a script times in ISO 8601', async () => {
    const { env, key } = await personWithTwoKeys(server);
    const { keys } = JSON.parse((await list(env, true)).stdout);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toEqual({
      id: key.id,
      name: 'Security key',
      model: null,
      addedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      lastUsedAt: expect.stringMatching(/Z$/),
      current: true,
    });
  });

  test('without a session says so as other commands do', async () => {
    expect(await list(machine().env)).toEqual({
      code: 3,
      stdout: '',
      stderr: 'vouch: You are not signed in.\n  No vouch agent is running.\n  Run `vouch login`, then try again.\n',
    });
  });

  test('of an older server says that it does not know this', async () => {
    const the = await signedIn();
    const { code, stderr } = await list(the.env);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^vouch: 127\.0\.0\.1:\d+ does not know this yet: .*\n {2}Ask your administrator/);
  });
});

describe('vouch keys rename', () => {
  test('renames, and the session’s key has the new name too', async () => {
    const { env, spare } = await personWithTwoKeys(server);
    expect(await rename(env, 'spare key', ' In the drawer ')).toEqual({
      code: 0,
      stdout: '"Spare key" is called "In the drawer" now\n',
      stderr: '',
    });
    const json = await rename(env, spare.id.slice(0, 6), 'Spare', true);
    expect(JSON.parse(json.stdout)).toMatchObject({ key: { id: spare.id, name: 'Spare' } });
    await rename(env, 'Security key', 'Work key');
    expect(await namesOf(env)).toEqual(['Work key', 'Spare']);
    expect((await agentStatus(env)).session?.key).toEqual({ name: 'Work key', model: null });
  });

  test('refuses what cannot be a name, or is another key’s', async () => {
    const { env } = await personWithTwoKeys(server);
    expect(await rename(env, 'Spare key', 'x'.repeat(41))).toMatchObject({ code: 2 });
    expect(await rename(env, 'Spare key', 'Security key')).toMatchObject({
      code: 5,
      stderr: 'vouch: Another of your keys has this name.\n  Choose a name that none of your keys has.\n',
    });
    expect(await rename(env, 'Lost key', 'x')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('You have "Security key", "Spare key".'),
    });
    expect(await namesOf(env)).toEqual(['Security key', 'Spare key']);
  });
});

describe('vouch keys remove, in a script', () => {
  test('removes a key, and says what AWS still honours of its sessions', async () => {
    const { env, spare } = await personWithTwoKeys(server);
    const { client, access_token } = await signIn(server.origin, spare);
    await client.api('POST', '/api/aws/token', access_token, { body: { role } });
    const { code, stdout, stderr } = await remove(env, 'Spare key');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^Removed "Spare key", and ended 1 other session that began with it\nAWS credentials issued before .*\d\d:\d\d last until .*\d\d:\d\d at the latest\.\n$/,
    );
    expect(await namesOf(env)).toEqual(['Security key']);
    // The only key stays, whoever is asked.
    const refused = { code: 5, stdout: '', stderr: expect.stringContaining('This is your only key') };
    expect(await remove(env, 'Security key')).toMatchObject(refused);
    expect(await remove(env, 'Security key', { yes: false })).toMatchObject(refused);
    expect(await namesOf(env)).toEqual(['Security key']);
  });

  test('gives the result as JSON', async () => {
    const { env, spare } = await personWithTwoKeys(server);
    expect(JSON.parse((await remove(env, 'Spare key', { json: true })).stdout)).toMatchObject({
      key: { id: spare.id, name: 'Spare key' },
      sessions: 0,
      signedOut: false,
      awsCredentialsUntil: null,
    });
  });

  test('with the key of the session, drops everything as a logout does', async () => {
    const { env, running } = await personWithTwoKeys(server);
    await roleClaims(role, env);
    const { code, stdout } = await remove(env, 'Security key');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Removed "Security key"\nYou are signed out here\. Next: .*\nAWS credentials issued before/,
    );
    await running.ended;
    await expect(agentStatus(env)).rejects.toMatchObject({ kind: 'agent-not-running' });
  });

  test('needs --yes, because nobody can be asked', async () => {
    const { env } = await personWithTwoKeys(server);
    expect(await remove(env, 'Spare key', { yes: false })).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^vouch: Nobody could be asked .*\n {2}Say `--yes`/),
    });
    expect(await namesOf(env)).toHaveLength(2);
  });

  test('needs a touch of the last minutes, and says how to get one', async () => {
    const { env, email } = await personWithTwoKeys(server);
    await ageTouches(email);
    expect(await remove(env, 'Spare key')).toEqual({
      code: 3,
      stdout: '',
      stderr: 'vouch: This needs a touch of your key from the last 5 minutes.\n  Run `vouch login`, then try again.\n',
    });
    expect(await namesOf(env)).toHaveLength(2);
  });
});

describe('vouch keys remove, on a terminal', () => {
  const program = join(root, 'cli/vouch/command-line.ts');
  const onScreen = (env: NodeJS.ProcessEnv, args: string) =>
    onTerminal(`exec '${process.execPath}' '${program}' keys remove ${args}`, { env });

  /** Signs in with the address that a terminal shows, as the page there does. */
  async function touchAt(address: string, key: SoftKey): Promise<void> {
    const { pathname, search } = new URL(address);
    const client = await CliClient.create(server.origin);
    const page = await SignIn.openPath(new Browser(server.origin), client, pathname + search);
    await fetch(await page.callback(key), { redirect: 'manual' });
  }

  test('asks, and takes anything but yes for a no', async () => {
    const { env } = await personWithTwoKeys(server);
    const asking = onScreen(env, '"Spare key"');
    await asking.until(/Remove "Spare key", added \d+ \w{3} \d{4}\? \[y\/N\] $/);
    asking.type('\n');
    expect(await asking.ended).toBe(1);
    expect(asking.said()).toContain('vouch: Nothing was changed.\n');
    const interrupted = onScreen(env, '"Security key"');
    await interrupted.until(/\? This session ends with it\. \[y\/N\] $/);
    interrupted.type('\x03');
    expect(await interrupted.ended).toBe(130);
    expect(await namesOf(env)).toHaveLength(2);
  });

  test('makes the person sign in if the last touch is too old, and removes the key then', async () => {
    const { env, email, key } = await personWithTwoKeys(server);
    await ageTouches(email);
    const removing = onScreen(env, '"spare key" --json');
    await removing.until(/\[y\/N\] $/);
    removing.type('y\n');
    const [, address = ''] = await removing.until(
      /touch from the last 5 minutes, so sign in again\.\n[\s\S]*?\n {2}(http\S+)\n/,
    );
    await touchAt(address, key);
    expect(await removing.ended).toBe(0);
    expect(removing.said()).toContain(`Signed in as ${email} with "Security key"`);
    expect(removing.said()).toMatch(/\n\{"key":\{[^\n]*"name":"Spare key"[^\n]*"signedOut":false\}\n$/);
    expect(await namesOf(env)).toEqual(['Security key']);
  });
});
