/**
 * `npm run test:packages -- ROOT`: installs the .deb packages in a throw-away Debian, plays a first day there, upgrades and removes them.
 * It needs root, dpkg, and a Debian with Git and without Node in the folder ROOT, made by
 * `debootstrap --variant=minbase --include=git,ca-certificates bookworm ROOT`. The programs run in ROOT as their root directory; the local
 * AWS, the browser and the security key run outside.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type DEBIAN, deb } from '../../../deploy/release/deb.ts';
import { nodeFor, type Platform } from '../../../deploy/release/node-package.ts';
import { contentsOf, products, root as repository } from '../../../deploy/release/product.ts';
import { lockedBom } from '../../../deploy/release/sbom.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { PERSON, REGION, type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { ensureBuilt } from '../../support/ensure-built.ts';

const root = resolve(process.argv[2] ?? assert.fail('Usage: npm run test:packages -- ROOT'));
assert(existsSync(join(root, 'usr/bin/git')), `There is no Git in ${root}.`);
assert.equal(process.getuid?.(), 0, 'Only root can install packages in another root directory.');

const BEFORE = '0.0.9';
const within = (path: string) => join(root, path);
const step = (what: string) => process.stdout.write(`${what}\n`);

/** Runs a command in the other root directory. */
const inside = (command: string, ...args: string[]) =>
  execFileSync('chroot', [root, command, ...args], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
const dpkg = (...args: string[]) => execFileSync('dpkg', [`--root=${root}`, ...args], { encoding: 'utf8' });
const versionOf = (name: string) => inside('dpkg-query', '--show', name).trim().split('\t')[1];
const works = (command: string) => {
  try {
    inside('sh', '-c', command);
    return true;
  } catch {
    return false;
  }
};

assert(!works('command -v node'), 'The point is that there is no Node.');
const packages = await makePackages();
try {
  await play();
} finally {
  for (const name of ['vouch', 'vouch-server']) {
    if (existsSync(within(`var/lib/dpkg/info/${name}.list`))) dpkg('--purge', name);
  }
  rmSync(within('tmp'), { recursive: true, force: true });
  mkdirSync(within('tmp'), { mode: 0o1777 });
}
step('All is well.');

async function makePackages(): Promise<(version: string) => string[]> {
  await ensureBuilt();
  const platform = `${process.platform}-${process.arch}` as Platform;
  const node = await nodeFor(platform, join(repository, 'packages/.node'));
  const locked = lockedBom(repository);
  const time = Math.floor(Date.now() / 1000);
  for (const version of [BEFORE, manifest.version]) {
    for (const product of products) {
      step(`Makes ${product.name} ${version}`);
      const contents = contentsOf(product, { node, lockedBom: locked, time, version });
      const file = await deb(contents, { arch: process.arch as keyof typeof DEBIAN, time });
      writeFileSync(within(`tmp/${product.name}_${version}.deb`), file);
    }
  }
  return (version) => products.map(({ name }) => within(`tmp/${name}_${version}.deb`));
}

async function play(): Promise<void> {
  step('Installs the version before');
  dpkg('--install', ...packages(BEFORE));
  // Both have the code of now, which prints its own version.
  for (const { name } of products) assert.equal(inside(name, '--version').trim(), manifest.version);
  assert.deepEqual(
    products.map(({ name }) => versionOf(name)),
    [BEFORE, BEFORE],
  );
  const key = '/etc/vouch/master-key';
  assert.equal(inside('stat', '-c', '%U %a %s', key).trim(), 'vouch 400 45');
  assert.equal(inside('stat', '-c', '%U %a', '/var/lib/vouch').trim(), 'vouch 700');
  assert.equal(inside('stat', '-c', '%U %a', '/etc/vouch/vouch.env').trim(), 'root 640');
  const masterKey = readFileSync(within(key), 'utf8');

  step('A server whose settings are not filled in says which');
  assert(!works('set -a; . /etc/vouch/vouch.env; vouch-server serve'));

  // A Debian without a network has no such file.
  writeFileSync(within('etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n');
  // Both sides know everything by the same names.
  mkdirSync(dirname(join(root, root)), { recursive: true });
  if (!existsSync(join(root, root))) symlinkSync('/', join(root, root));
  process.env.TMPDIR = within('tmp');
  const settings = { VOUCH_MASTER_KEY_FILE: key, VOUCH_DATABASE_URL: 'sqlite:/var/lib/vouch/vouch.db' };
  await using sandbox = await startSandbox({ fresh: true, programs, settings });
  writeFileSync(join(sandbox.folder, 'sandbox-browser'), openPage(join(sandbox.folder, 'browser.sock')), {
    mode: 0o755,
  });
  await firstDay(sandbox);

  step('Upgrades, with settings that were changed');
  const changed = `${readFileSync(within('etc/vouch/vouch.env'), 'utf8')}VOUCH_SESSION_HOURS=4\n`;
  writeFileSync(within('etc/vouch/vouch.env'), changed);
  dpkg('--install', ...packages(manifest.version));
  assert.deepEqual(
    products.map(({ name }) => versionOf(name)),
    [manifest.version, manifest.version],
  );
  assert.equal(readFileSync(within('etc/vouch/vouch.env'), 'utf8'), changed);
  assert.equal(readFileSync(within(key), 'utf8'), masterKey);
  await sandbox.server.stop();
  await sandbox.server.start();
  const work = { cwd: join(sandbox.home, 'demo') };
  await sandbox.succeed('git', ['fetch'], work);
  assert.match((await sandbox.succeed('vouch', ['status'])).stdout, /alice@example\.com/);
  await sandbox.succeed('vouch', ['logout']);
  assert.equal((await sandbox.run('git', ['fetch'], work)).code, 128);
  await sandbox.run('vouch', ['agent', 'stop']);
  await sandbox.server.stop();

  step('Removes: programs go, settings and database stay');
  dpkg('--remove', 'vouch', 'vouch-server');
  assert(!works('command -v vouch || command -v vouch-server || command -v git-credential-vouch'));
  assert(!existsSync(within('usr/lib/vouch')) && !existsSync(within('usr/lib/vouch-server')));
  for (const path of ['etc/vouch/vouch.env', 'etc/vouch/master-key', 'var/lib/vouch/vouch.db']) {
    assert(existsSync(within(path)), path);
  }

  step('Installs again: everything is as it was');
  dpkg('--install', ...packages(manifest.version));
  assert.equal(readFileSync(within('etc/vouch/vouch.env'), 'utf8'), changed);
  assert.equal(readFileSync(within(key), 'utf8'), masterKey);

  step('Purges: nothing stays but the user');
  dpkg('--purge', 'vouch', 'vouch-server');
  const left = globSync('{etc,usr,var}/**/*vouch*', { cwd: root }).filter((path) => !path.startsWith('tmp/'));
  assert.deepEqual(left, []);
  assert(works('getent passwd vouch'));
}

async function firstDay(sandbox: Sandbox): Promise<void> {
  const { home, issuer, roleArn, repositoryUrl } = sandbox;
  step('A first day');
  const invited = await sandbox.succeed('vouch-server', ['invite', PERSON, '--json']);
  const { code } = JSON.parse(invited.stdout) as { code: string };
  await sandbox.succeed('vouch', ['enroll', '--server', issuer, '--name', 'Work key'], { input: sandbox.typed(code) });
  await sandbox.succeed('vouch', ['setup', 'aws', '--role', roleArn, '--region', REGION]);
  await sandbox.succeed('vouch', ['setup', 'codecommit']);
  const refused = await sandbox.run('git', ['ls-remote', repositoryUrl]);
  assert.equal(refused.code, 128);
  assert.match(refused.stderr, /You are not signed in/);
  await sandbox.succeed('vouch', ['login']);
  await sandbox.succeed('git', ['clone', repositoryUrl]);
  const work = { cwd: join(home, 'demo') };
  await sandbox.succeed('git', ['commit', '--allow-empty', '-m', 'first'], work);
  await sandbox.succeed('git', ['push'], work);
  await sandbox.succeed('git', ['clone', 'codecommit://vouch@demo', 'second']);
  assert.match((await sandbox.run('vouch', ['doctor', repositoryUrl])).stdout, /✓ Node/);
  const database = statSync(within('var/lib/vouch/vouch.db'));
  assert.equal(inside('stat', '-c', '%U %a', '/var/lib/vouch/vouch.db').trim(), 'vouch 600');
  assert(database.size > 0);

  step('Git’s helper starts no Node while the agent has an answer');
  const node = within('usr/lib/vouch/node/node');
  renameSync(node, `${node}.away`);
  try {
    await sandbox.succeed('git', ['fetch'], work);
  } finally {
    renameSync(`${node}.away`, node);
  }
}

/** Instead of our programs and Git: scripts that start those in the other root directory. */
function programs(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const name of ['git', 'vouch', 'vouch-server', 'git-credential-vouch']) {
    const serve = name === 'vouch-server' ? `[ "$1" != serve ] || user=--userspec=vouch:vouch` : ':';
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\nuser=--userspec=root:root\n${serve}\nexec chroot $user '${root}' /bin/sh -c 'cd "$0" 2>/dev/null || cd /; PATH=/usr/bin:/bin exec "$@"' "$PWD" ${basename(name)} "$@"\n`,
      { mode: 0o755 },
    );
  }
  return bin;
}

/** The program for $BROWSER. There is no other Node. */
function openPage(socket: string): string {
  const code = 'require("net").connect(process.argv[1], function () { this.end(process.argv[2] + "\\n") }).resume()';
  return `#!/bin/sh\nexec /usr/lib/vouch/node/node -e '${code}' '${socket}' "$1"\n`;
}
