import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findAgent } from '../../../cli/agent/client/find-agent.ts';
import { startAgent } from '../../../cli/agent/client/start.ts';
import { awsSettings } from '../../../cli/box/aws-files.ts';
import { makeBoxFolder } from '../../../cli/box/box-folder.ts';
import { boxEnvironment } from '../../../cli/box/environment.ts';
import { signedIn } from '../agent/support.ts';
import { gitRequest, installHelper, type Machine, run, say } from '../support.ts';

/** Something that answers Git as a lent socket does. */
async function lentSocket({ folder }: Machine): Promise<{ path: string; server: Server; asked(): string }> {
  let asked = '';
  const path = join(folder, 'run/vouch/lent.sock');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.setEncoding('utf8').on('data', (text) => (asked += text));
    socket.on('error', () => {});
    socket.on('end', () => socket.end('username=lent\npassword=fenced\npassword_expiry_utc=4000000000\n'));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return { path, server, asked: () => asked };
}

/** A machine with an agent that has a session, and a box there. */
async function boxed() {
  const the = await signedIn();
  installHelper(the);
  // Without a setup, Git would prefer no other helper; the one under test is asked by name.
  const lent = await lentSocket(the);
  const box = await makeBoxFolder({ gitSocket: lent.path, why: 'It may pull from demo.' }, {}, the.env);
  onTestFinished(() => box.remove());
  return { ...the, lent, box, inside: boxEnvironment(the.env, box, {}, null) };
}

const helper = (env: NodeJS.ProcessEnv) => run('git-credential-vouch', ['get'], env, gitRequest);

test('in a box, Git’s helper finds what is lent, and not the agent', async () => {
  const { env, inside } = await boxed();
  expect((await helper(env)).stdout).toMatch(/^username=ASIA/);
  expect((await helper(inside)).stdout).toMatch(/^username=lent\npassword=fenced\n/);
});

test('after the lend, the helper gets nothing and says why', async () => {
  const { inside, lent } = await boxed();
  await new Promise((resolve) => lent.server.close(resolve));
  const { stdout, stderr } = await helper(inside);
  expect(stdout).toBe('quit=1\n');
  expect(stderr).toBe(
    'vouch: This program has only what `vouch lend` has given it.\nvouch: It may pull from demo.\n' +
      'vouch: Run this where you have signed in, outside of that program.\n',
  );
});

test('in a box, the Node part of the helper finds what is lent too', async () => {
  const { inside, lent, box } = await boxed();
  // The script's own way is blocked: it insists on a folder that is sticky.
  chmodSync(dirname(box.gitSocket), 0o700);
  expect(await helper(inside)).toMatchObject({
    stdout: expect.stringMatching(/^username=lent\npassword=fenced\n/),
    stderr: '',
  });
  expect(lent.asked()).toContain(`action=get\ntimeout=900\n`);
  expect(lent.asked()).toContain('path=v1/repos/demo\n');
});

test('what listens in the agent’s place survives nonsense', async () => {
  const { inside } = await boxed();
  const socket = join(inside.XDG_RUNTIME_DIR ?? '', 'vouch/agent.sock');
  const head = (length: number) => `POST /git HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
  for (const nonsense of [
    '',
    'nonsense\r\n\r\n',
    head(5),
    `${head(300_000)}${'x'.repeat(300_000)}`,
    `${head(3)}\0\0\0`,
  ]) {
    await say(socket, nonsense);
  }
  await expect(findAgent(inside)).rejects.toMatchObject({ kind: 'lent' });
});

test('in a box, Vouch finds no agent, and starts none', async () => {
  const { inside } = await boxed();
  await expect(findAgent(inside)).rejects.toMatchObject({ kind: 'lent', category: 'refused' });
  await expect(startAgent(inside)).rejects.toMatchObject({ kind: 'lent' });
});

test('an agent in the home folder is not found either', async () => {
  const { env, inside } = await boxed();
  // As the agent of a machine without a runtime folder of logind's.
  const own = { ...inside, XDG_CACHE_HOME: join(env.XDG_RUNTIME_DIR ?? '') };
  await expect(findAgent({ ...own, XDG_RUNTIME_DIR: undefined })).resolves.toMatchObject({ state: 'running' });
  await expect(findAgent(own)).rejects.toMatchObject({ kind: 'lent' });
  expect((await helper(own)).stdout).toMatch(/^username=lent\n/);
});

test('a box has none of the caller’s credentials, but the settings that AWS’s tools need', async () => {
  const { env } = await boxed();
  const caller = {
    ...env,
    AWS_ACCESS_KEY_ID: 'AKIASECRET',
    AWS_PROFILE: 'admin',
    AWS_REGION: 'eu-west-1',
    AWS_CA_BUNDLE: '/etc/ca.pem',
    AWS_USE_FIPS_ENDPOINT: 'true\n[profile admin]',
    VOUCH_EMAIL: 'alice@example.com',
    GIT_AUTHOR_NAME: 'Alice',
  };
  const box = await makeBoxFolder({ gitSocket: '/nowhere', why: '' }, awsSettings(caller, 'us-east-1'), env);
  onTestFinished(() => box.remove());
  const endpoint = { url: 'http://127.0.0.1:1/credentials', token: 'token' };
  expect(boxEnvironment(caller, box, { GIT_CONFIG_COUNT: '1' }, endpoint)).toEqual({
    ...env,
    AWS_ENDPOINT_URL_STS: undefined,
    GIT_AUTHOR_NAME: 'Alice',
    GIT_CONFIG_COUNT: '1',
    XDG_RUNTIME_DIR: box.runtime,
    AWS_CONFIG_FILE: box.aws.config,
    AWS_SHARED_CREDENTIALS_FILE: box.aws.credentials,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: endpoint.url,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'token',
  });
  expect(readFileSync(box.aws.config, 'utf8')).toBe('[default]\nregion = eu-west-1\nca_bundle = /etc/ca.pem\n');
  expect(readFileSync(box.aws.credentials, 'utf8')).toBe('');
});

test('a box leaves nothing behind', async () => {
  const { env, box } = await boxed();
  const boxes = () => readdirSync(join(env.XDG_RUNTIME_DIR ?? '', 'vouch')).filter((name) => name.startsWith('box-'));
  expect(boxes()).toHaveLength(1);
  box.remove();
  expect(boxes()).toEqual([]);
  expect(existsSync(box.runtime)).toBe(false);
});

test('a sandbox that shows the box’s folder alone has the socket in it', async () => {
  const { box, lent, inside } = await boxed();
  // The lend's own name is out of reach there.
  rmSync(lent.path);
  expect(dirname(dirname(box.gitSocket))).toBe(box.runtime);
  expect((await helper(inside)).stdout).toMatch(/^username=lent\n/);
});
