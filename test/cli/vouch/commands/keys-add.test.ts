import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { addKey } from '../../../../cli/account/add-key.ts';
import { SoftKey } from '../../../server/soft-key.ts';
import { startServer, type TestServer } from '../../../server/support.ts';
import { addKeyOnPage, personAtMachine } from '../../account/person.ts';
import { signedIn } from '../../agent/support.ts';
import { json, machine, root, run } from '../../support.ts';

const program = join(root, 'cli/vouch/command-line.ts');

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** Starts `vouch keys add`, and waits until it has printed the page's address. */
async function startAdding(env: NodeJS.ProcessEnv, args: string[], stream: 'stdout' | 'stderr' = 'stdout') {
  const child = spawn(process.execPath, [program, 'keys', 'add', '--no-browser', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const ended = once(child, 'close').then(async ([code]) => {
    const [stdout, stderr] = await said;
    return { code: code as number, stdout, stderr };
  });
  let begun = '';
  child[stream].on('data', (chunk: Buffer) => {
    begun += chunk;
  });
  await expect.poll(() => begun, { timeout: 30_000 }).toContain('/account?add');
  return { child, ended };
}

test('vouch keys add waits for the key that the person adds on the page, and prints it', async () => {
  const { env, key } = await personAtMachine(server);
  const { ended } = await startAdding(env, ['--name', 'In the drawer']);
  await addKeyOnPage(server, key, new SoftKey(server.origin), 'In the drawer');
  expect(await ended).toEqual({
    code: 0,
    stdout: `To add a key, open\n  ${server.origin}/account?add&name=In%20the%20drawer\nAdded "In the drawer". It signs you in from now on\n`,
    stderr: 'Follow the browser: a key that you have, then the new one …\n',
  });
});

test('with --json its output is the key alone', async () => {
  const { env, key } = await personAtMachine(server);
  const { ended } = await startAdding(env, ['--json'], 'stderr');
  const further = new SoftKey(server.origin);
  await addKeyOnPage(server, key, further, 'Spare');
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringContaining(`To add a key, open\n  ${server.origin}/account?add\n`),
  });
  expect(JSON.parse(stdout)).toMatchObject({ key: { id: further.id, name: 'Spare', lastUsedAt: null } });
});

describe('it ends', () => {
  test('at Ctrl-C, with nothing said', async () => {
    const { env } = await personAtMachine(server);
    const { child, ended } = await startAdding(env, []);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stderr: expect.not.stringContaining('vouch:') });
  });

  test('when no key comes in time, with what to do', async () => {
    const { env } = await personAtMachine(server);
    const { ended } = await startAdding(env, ['--timeout', '1']);
    expect(await ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/vouch: No new key came\.\n {2}Look at the page: is it signed in as you\? /),
    });
  });

  test('when the session ends meanwhile', async () => {
    const { env, email } = await personAtMachine(server);
    const { ended } = await startAdding(env, []);
    await server.context.store
      .updateTable('people')
      .set({ disabled_at: Date.now() })
      .where('email', '=', email)
      .execute();
    expect(await ended).toMatchObject({ code: 5, stderr: expect.stringContaining('has disabled your account') });
  });
});

test('before it opens the page, it refuses what cannot come to anything', async () => {
  const { env } = await personAtMachine(server);
  const add = (...args: string[]) => run(process.execPath, [program, 'keys', 'add', '--no-browser', ...args], env);
  expect(await add('--name', 'Security key')).toEqual({
    code: 5,
    stdout: '',
    stderr: 'vouch: You have a key of this name: "Security key".\n  Choose another name.\n',
  });
  expect(await add('--name', 'x'.repeat(41))).toMatchObject({ code: 2, stdout: '' });
  const nobody = await run(process.execPath, [program, 'keys', 'add'], machine().env);
  expect(nobody).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('You are not signed in.') });
});

test('a server that is away for a moment does not end the wait', async () => {
  const the = await signedIn();
  const key = { id: 'AAAA', name: 'Work key', model: null, addedAt: '2026-03-03', lastUsedAt: null, current: true };
  const answers = [
    [200, [key]],
    [503, []],
    [200, [key]],
    [200, [key, { ...key, id: 'BBBB', current: false }]],
  ] as const;
  the.world.answers.account = (response) => {
    const [status, keys] = answers[the.world.count('account') - 1] ?? [500, []];
    json(response, status, { keys });
  };
  const screen = { write: () => true };
  const options = { env: the.env, browser: false, signal: AbortSignal.timeout(60_000), say: () => {}, screen };
  expect(await addKey(options)).toMatchObject({ id: 'BBBB' });
  expect(the.world.count('account')).toBe(4);
});
