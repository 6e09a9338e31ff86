import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { archive } from '../../../deploy/release/archive.ts';
import { formula } from '../../../deploy/release/formula.ts';
import { installScript } from '../../../deploy/release/install-script.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { stranger, superuser } from '../../cli/other-users.ts';
import { type Finished, run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { linkTools, TIME, testContents } from './packages.ts';

const folder = temporaryFolder();
const name = `vouch-${manifest.version}-${process.platform}-${process.arch}`;
const script = join(folder, 'install.sh');
let packed: Buffer;
/** What the server answers. */
let served: Buffer;
let asked: (string | undefined)[] = [];
let home: string;
let homes = 0;

const server = createServer(({ url }, response) => {
  asked.push(url);
  response.writeHead(url === `/vouch/${name}.tar.gz` ? 200 : 404).end(served);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/vouch/`;
  packed = await archive(testContents('vouch'), name, TIME);
  const sums = new Map([[`${name}.tar.gz`, createHash('sha256').update(packed).digest('hex')]]);
  writeFileSync(script, installScript({ sums, url }));
});
afterAll(() => server.close());

beforeEach(() => {
  served = packed;
  asked = [];
  home = join(folder, `home${homes++}`);
  mkdirSync(home);
});

/** A folder for PATH without Node, and with at most one of the programs that download. */
function tools(downloader?: 'curl' | 'wget'): string {
  const bin = join(folder, `tools-${downloader}`);
  if (existsSync(bin)) return bin;
  mkdirSync(bin);
  const needed = 'sh tar gzip mktemp sha256sum shasum cut uname id ls mkdir cp mv ln rm readlink git env';
  linkTools(bin, needed.split(' '));
  if (downloader !== undefined) {
    // Gets its last argument, and writes it to the file that the option before names: what both have in common here.
    const code = `const args = process.argv.slice(1), url = args.at(-1), at = args.findIndex((one) => one === '--output' || one === '-O');
fetch(url).then(async (answer) => { if (!answer.ok) process.exit(22); fs.writeFileSync(args[at + 1], Buffer.from(await answer.arrayBuffer())) })`;
    writeFileSync(join(bin, downloader), `#!/bin/sh\nexec '${process.execPath}' -e "${code}" -- "$@"\n`);
    chmodSync(join(bin, downloader), 0o755);
  }
  return bin;
}

const install = (args: string[] = [], downloader?: 'curl' | 'wget'): Promise<Finished> =>
  run('sh', [script, ...args], { env: { PATH: tools(downloader), HOME: home }, cwd: folder });

const everything = () => readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((path) => !isFolder(path));
const isFolder = (path: string) => lstatSync(join(home, path)).isDirectory();

test.each(['curl', 'wget'] as const)('downloads by %s, installs, and vouch runs', async (downloader) => {
  const done = await install([], downloader);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toContain(`Next: put ${home}/.local/bin on your PATH`);
  expect(asked).toEqual([`/vouch/${name}.tar.gz`]);
  const env = { PATH: `${home}/.local/bin:${tools()}`, HOME: home };
  expect(await run('vouch', ['--version'], { env })).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  const asking = { env, input: 'protocol=https\nhost=git-codecommit.us-east-1.amazonaws.com\npath=v1/repos/demo\n\n' };
  expect(await run('git', ['credential-vouch', 'get'], asking)).toMatchObject({ code: 0, stdout: 'quit=1\n' });
  for (const shared of ['man/man1/vouch.1', 'bash-completion/completions/vouch', 'zsh/site-functions/_vouch']) {
    expect(readFileSync(join(home, '.local/share', shared), 'utf8')).toContain('vouch');
  }
  // No temporary folder is left.
  expect(readdirSync(join(home, '.local/lib'))).toEqual(['vouch']);
});

test('unpacks nothing that is not the archive of which it knows the checksum', async () => {
  served = Buffer.from(packed);
  served[served.length - 1] = (served.at(-1) ?? 0) ^ 1;
  const done = await install([], 'curl');
  expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing was unpacked') });
  expect(everything()).toEqual([]);
});

test('a failed upgrade leaves what is installed', async () => {
  await install([], 'curl');
  const before = everything();
  served = Buffer.from('<html>Sign in to this network</html>');
  expect((await install([], 'curl')).code).toBe(1);
  expect(everything()).toEqual(before);
});

test('says what is missing when nothing can download, and takes a file instead', async () => {
  expect(await install()).toMatchObject({ code: 1, stderr: expect.stringContaining('--file') });
  const file = join(folder, 'here.tar.gz');
  writeFileSync(file, packed);
  expect(await install(['--file', file])).toMatchObject({ code: 0 });
  expect(asked).toEqual([]);
});

test('installs over itself, and removes all that it made and nothing else', async () => {
  mkdirSync(join(home, '.local/bin'), { recursive: true });
  writeFileSync(join(home, '.local/bin/other'), '');
  await install([], 'curl');
  expect(await install([], 'curl')).toMatchObject({ code: 0, stderr: '' });
  const removed = await install(['--uninstall']);
  expect(removed).toMatchObject({ code: 0, stderr: '' });
  expect(everything()).toEqual(['.local/bin/other']);
  expect(await install(['--uninstall'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('nothing to remove'),
  });
});

test('leaves alone what it has not made', async () => {
  mkdirSync(join(home, '.local/lib/vouch'), { recursive: true });
  writeFileSync(join(home, '.local/lib/vouch/mine'), '');
  for (const args of [[], ['--uninstall']]) {
    expect(await install(args, 'curl')).toMatchObject({ code: 1, stderr: expect.stringContaining('has not made it') });
  }
  expect(everything()).toEqual(['.local/lib/vouch/mine']);
});

test('a program of the same name stays, and so does a link that leads elsewhere', async () => {
  mkdirSync(join(home, '.local/bin'), { recursive: true });
  writeFileSync(join(home, '.local/bin/vouch'), 'mine');
  expect((await install([], 'curl')).stderr).toContain('left');
  await install(['--uninstall']);
  expect(readFileSync(join(home, '.local/bin/vouch'), 'utf8')).toBe('mine');
});

/** What another user may have in their hands of the folder that root is told to install into; undefined for a folder that may be. */
const othersFolders: [string, ((home: string) => void) | undefined][] = [
  ['nothing', undefined],
  ['the home folder', (home) => chownSync(home, stranger, stranger)],
  ['a folder that is there already', (home) => chownSync(join(home, '.local/lib'), stranger, stranger)],
  [
    'a link',
    (home) => {
      renameSync(join(home, '.local'), join(home, 'elsewhere'));
      symlinkSync('elsewhere', join(home, '.local'));
      lchownSync(join(home, '.local'), stranger, stranger);
    },
  ],
];

test.each(othersFolders.slice(superuser ? 0 : 1))(
  'root installs into no folder that another user can exchange: %s',
  async (_, give) => {
    mkdirSync(join(home, '.local/lib'), { recursive: true });
    const bin = join(folder, `bin-of-${basename(home)}`);
    mkdirSync(bin);
    // Without root the tests' own user is the other one.
    writeFileSync(join(bin, 'id'), '#!/bin/sh\necho 0\n', { mode: 0o755 });
    if (superuser) give?.(home);
    const asRoot = (args: string[]) =>
      run('sh', [script, ...args], { env: { PATH: `${bin}:${tools('curl')}`, HOME: home }, cwd: folder });
    if (give === undefined) {
      expect(await asRoot([])).toMatchObject({ code: 0 });
      return;
    }
    for (const args of [[], ['--uninstall']]) {
      const refused = expect.stringMatching(/ belongs to another user/);
      expect(await asRoot(args)).toMatchObject({ code: 1, stdout: '', stderr: refused });
    }
    expect(asked).toEqual([]);
  },
);

test('half a script does nothing', async () => {
  const whole = readFileSync(script, 'utf8');
  const lines = whole.trimEnd().split('\n');
  const half = join(folder, 'half.sh');
  writeFileSync(half, lines.slice(0, -1).join('\n'));
  expect(await run('sh', [half], { env: { PATH: tools('curl'), HOME: home } })).toMatchObject({ code: 0, stdout: '' });
  expect(everything()).toEqual([]);
});

test('refuses what it does not know', async () => {
  for (const args of [['--nonsense'], ['--prefix', 'relative'], ['--prefix']]) {
    expect((await install(args, 'curl')).code).toBe(1);
  }
  expect(everything()).toEqual([]);
});

test('the formula has the address and the checksum of each archive', () => {
  const sums = new Map(
    ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'].map((platform, at) => [
      `vouch-${manifest.version}-${platform}.tar.gz`,
      String(at).repeat(64),
    ]),
  );
  sums.set(`vouch-server-${manifest.version}-linux-x64.tar.gz`, 'f'.repeat(64));
  const text = formula({ sums, url: 'https://downloads.example.com/vouch/' });
  const found = [...text.matchAll(/url "(.*)"\n +sha256 "(.*)"/g)].map(([, url, sum]) => [url, sum]);
  const url = `https://downloads.example.com/vouch/vouch-${manifest.version}`;
  expect(found).toEqual([
    [`${url}-darwin-arm64.tar.gz`, '3'.repeat(64)],
    [`${url}-darwin-x64.tar.gz`, '2'.repeat(64)],
    [`${url}-linux-arm64.tar.gz`, '1'.repeat(64)],
    [`${url}-linux-x64.tar.gz`, '0'.repeat(64)],
  ]);
  // Every `do`, `def` and `class` has its end.
  const opened = text.match(/\bdo$|^ *(class|def) /gm)?.length;
  expect(text.match(/^ *end$/gm)?.length).toBe(opened);
});
