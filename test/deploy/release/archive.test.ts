import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { x } from 'tar';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { archive } from '../../../deploy/release/archive.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { freePort } from '../../support/free-port.ts';
import { type Finished, run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { freshContents, linkTools, TIME, testContents } from './packages.ts';

const folder = temporaryFolder();
const names = ['vouch', 'vouch-server'] as const;
const packed: Record<string, Buffer> = {};

/** A folder for PATH with links to links to a program, and without Node. */
const bin = join(folder, 'bin');

beforeAll(async () => {
  mkdirSync(bin);
  mkdirSync(join(folder, 'elsewhere'));
  for (const name of names) {
    const contents = testContents(name);
    packed[name] = await archive(contents, name, TIME);
    await pipeline(Readable.from([packed[name]]), x({ cwd: folder, preservePaths: true }));
    for (const [command] of contents.commands) {
      symlinkSync(`../${name}/bin/${command}`, join(folder, 'elsewhere', command));
      symlinkSync(join(folder, 'elsewhere', command), join(bin, command));
    }
  }
  // What our programs and Git's need, but no Node.
  linkTools(bin, ['sh', 'git', 'readlink', 'rm', 'mkdir', 'uname', 'env', 'cat']);
});

const start = (command: string, args: string[], env: Record<string, string> = {}, input = ''): Promise<Finished> =>
  run(join(bin, command), args, { env: { PATH: bin, HOME: folder, ...env }, cwd: folder, input });

test.each(names)('%s is the same when it is made twice', async (name) => {
  expect(Buffer.compare(await archive(freshContents(name), name, TIME), packed[name] ?? Buffer.alloc(0))).toBe(0);
});

test.each(['vouch', 'vouch-server'])(
  '%s starts without a Node on the PATH, through links to links',
  async (command) => {
    expect(await start(command, ['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  },
);

test('a program starts its own Node as program-start.sh starts one', async () => {
  const text = readFileSync(join(folder, 'vouch/dist/cli/vouch/main.cjs'), 'utf8');
  const last = (file: string) => /^exec .*$/m.exec(file)?.[0].replace(/^exec \S+/, '');
  expect(last(text)).toBe(last(readFileSync('program-start.sh', 'utf8')));
  // Node prints its help and does not start our program, if the options that it gets are not filtered.
  const printed = await start('vouch', ['--version'], { NODE_OPTIONS: '--no-such-option', NODE_DEBUG: 'module' });
  expect(printed).toMatchObject({ code: 0, stderr: '' });
});

test('Git’s helper finds its Node without one on the PATH, and says what is wrong', async () => {
  const request = 'protocol=https\nhost=git-codecommit.us-east-1.amazonaws.com\npath=v1/repos/demo\n\n';
  const answer = await start('git-credential-vouch', ['get'], {}, request);
  expect(answer).toMatchObject({ code: 0, stdout: 'quit=1\n' });
  expect(answer.stderr).not.toContain('Node.js');
  expect(answer.stderr).toMatch(/^vouch: .*`vouch /);
});

test('git-remote-codecommit starts', async () => {
  const answer = await start('git-remote-codecommit', ['origin', 'codecommit://nobody@demo']);
  expect(answer.stderr).toMatch(/^vouch: /);
  expect(answer.stderr).not.toContain('Node.js');
});

test('vouch doctor asks for no Node on the PATH', async () => {
  const { stdout } = await start('vouch', ['doctor', '--json']);
  expect(JSON.stringify(JSON.parse(stdout))).not.toContain('node.not-on-path');
});

test('the server runs with the modules that are in its package', async () => {
  const port = await freePort();
  const env = {
    VOUCH_ISSUER: `http://localhost:${port}`,
    VOUCH_DATABASE_URL: `sqlite:${join(folder, 'vouch.db')}`,
  };
  const server = spawn(join(bin, 'vouch-server'), ['serve'], {
    env: { PATH: bin, HOME: folder, ...env },
    cwd: folder,
    stdio: 'ignore',
  });
  const ended = once(server, 'exit');
  onTestFinished(() => void server.kill('SIGKILL'));
  await expect
    .poll(() =>
      fetch(`${env.VOUCH_ISSUER}/readyz`).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200);
  const [discovery, page] = await Promise.all(
    ['/.well-known/openid-configuration', '/account'].map((path) => fetch(env.VOUCH_ISSUER + path)),
  );
  expect(await discovery?.json()).toMatchObject({ issuer: env.VOUCH_ISSUER });
  expect(page?.headers.get('content-type')).toContain('text/html');
  expect(JSON.parse((await start('vouch-server', ['invite', 'a@example.com', '--json'], env)).stdout)).toHaveProperty(
    'code',
  );
  server.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

describe('what is inside', () => {
  test.each(names)('%s has nothing that only its developers need', (name) => {
    const contents = testContents(name);
    const paths = contents.entries.map(({ path }) => path);
    expect(paths.filter((path) => /\.(map|ts)$|\/licenses\.json$|^(test|release)\//.test(path))).toEqual([]);
    expect(paths.some((path) => path.startsWith('node_modules/vitest'))).toBe(false);
  });

  test('the server has every module that it names, also those that it loads later', () => {
    const paths = testContents('vouch-server').entries.map(({ path }) => path);
    for (const name of ['pg', '@aws-sdk/client-kms', '@opentelemetry/sdk-trace', 'oidc-provider', 'reflect-metadata']) {
      expect(paths).toContain(`node_modules/${name}/package.json`);
    }
  });

  test.each(names)('%s lists its packages, Node, and the licence of each', (name) => {
    const { entries, bom } = testContents(name);
    const list = JSON.parse(bom) as { components: { name: string; version: string }[] };
    const listed = list.components.map((one) => `${one.name}@${one.version}`);
    const licences = String(entries.find(({ path }) => path === 'THIRD-PARTY-LICENSES.txt')?.content);
    const installed = entries
      .filter(({ path }) => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path))
      .map(({ content }) => JSON.parse(String(content)) as { name: string; version: string });
    expect(installed.length).toBeGreaterThan(5);
    for (const one of installed) {
      expect(listed).toContain(`${one.name}@${one.version}`);
      expect(licences).toContain(`\n${one.name} ${one.version} (`);
    }
    expect(listed).toContain(`node@${process.versions.node}`);
    // What Vite has put into our own files is listed, too.
    expect(listed.some((one) => one.startsWith(name === 'vouch' ? 'openid-client@' : 'preact@'))).toBe(true);
    expect(listed.some((one) => one.startsWith('vitest@'))).toBe(false);
  });
});
