import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { putSession } from '../../../cli/agent/client/requests.ts';
import { serve } from '../../../cli/agent/serve.ts';
import { findOnPath } from '../../../cli/files/on-path.ts';
import { prepareRuntimeFolder } from '../../../cli/runtime-folder/prepare-folder.ts';
import {
  gitRequest,
  installHelper,
  lines,
  type Machine,
  machine,
  newSession,
  role,
  root,
  run,
  services,
  setUpProfile,
  stsError,
} from '../support.ts';

/** What the helper sends the agent about its caller: the profile on its command line, and AWS's variables. */

const nowhere = join(import.meta.dirname, 'none');
const shells = ['dash', 'bash'].filter((shell) => existsSync(join('/bin', shell)));

async function signedIn() {
  const the = machine();
  const helper = installHelper(the);
  const world = await services();
  for (const name of ['vouch', 'prod', 'team@b']) setUpProfile(the, name, `${role}-${name}`);
  const running = await serve({ env: { ...the.env, AWS_ENDPOINT_URL_STS: world.url } });
  onTestFinished(() => running?.end());
  await putSession(newSession(world.url), the.env);
  const roles = () => world.calls.flatMap(({ query }) => query?.get('RoleArn') ?? []);
  return { ...the, helper, world, roles };
}

/** Puts a program of this test before the real one on the PATH. */
function shadow({ folder }: Machine, name: string, script: string): void {
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** Versions of a Git that announces the pre-encoded form, and whether it can be given one. */
const versions: [version: string, encoded: boolean][] = [
  ['2.45.2', true],
  ['2.46.0', false],
  ['2.49.1', false],
  ['2.50.1.windows.1', false],
  ['2.53.0', false],
  ['2.54.0', true],
  ['2.60.0', true],
  ['3.0.0', true],
];

/** A request that announces that form, before or after Git's other lines. */
const announcing = (place: string) =>
  place === 'before'
    ? `capability[]=authtype\ncapability[]=state\n${gitRequest}`
    : `capability[]=state\n${gitRequest}capability[]=authtype\n`;

/**
 * Makes the machine's Git claim another version: when asked, and in the output of trace2.
 *
 * @returns a function that returns the commands with which Git was started
 */
function pretend(the: Machine, version: string): () => string[] {
  const log = join(the.folder, 'started');
  shadow(
    the,
    'git',
    `echo "$1" >>'${log}'
PATH=\${PATH#*:}
[ "$1" = version ] && echo 'git version ${version}' && exit
[ "$GIT_TRACE2_EVENT" = 3 ] || exec git "$@"
{ git "$@" 3>&1 >&5 | sed 's/"exe":"[^"]*"/"exe":"${version}"/' >&3; } 5>&1`,
  );
  return () => readFileSync(log, 'utf8').trim().split('\n');
}

/**
 * Answers on git.sock instead of the agent.
 *
 * @returns a function that returns the lines that came last, without the lines of Git's cache
 */
async function answering({ env, gitSocket }: Machine, answer: string): Promise<() => string> {
  prepareRuntimeFolder(env);
  let asked = Buffer.alloc(0);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    asked = Buffer.alloc(0);
    socket.on('data', (chunk) => (asked = Buffer.concat([asked, chunk])));
    socket.on('end', () => socket.end(answer));
  });
  await new Promise<void>((done) => server.listen(gitSocket, done));
  onTestFinished(() => void server.close());
  return () => asked.toString('utf8').replace(/^action=get\ntimeout=\d+\n/, '');
}

describe.each(shells)('the script, in %s,', (shell) => {
  test.each([
    [['--profile', 'prod'], `${role}-prod`],
    [['--profile=prod'], `${role}-prod`],
    [['--node', nowhere, '--profile', 'team@b'], `${role}-team@b`],
    [['--profile', 'team@b', `--node=${nowhere}`], `${role}-team@b`],
    [['--profile', 'vouch', '--profile', 'prod'], `${role}-prod`],
  ])('takes %j, and starts no Node for it', async (options, arn) => {
    const the = await signedIn();
    shadow(the, 'node', 'echo node was started >&2; exit 1');
    const { code, stdout, stderr } = await run(shell, [the.helper, ...options, 'get'], the.env, gitRequest);
    expect([code, stderr]).toEqual([0, '']);
    expect(lines(stdout).password).toMatch(/^\d{8}T\d{6}Z/);
    expect(the.roles()).toEqual([arn]);
  });

  test('passes AWS_PROFILE and AWS_CONFIG_FILE on', async () => {
    const the = await signedIn();
    const file = join(the.folder, 'other config');
    writeFileSync(file, `[default]\ncredential_process = vouch credential aws --role ${role}-other\n`);
    await run(shell, [the.helper, 'get'], { ...the.env, AWS_PROFILE: 'prod' }, gitRequest);
    await run(shell, [the.helper, 'get'], { ...the.env, AWS_CONFIG_FILE: file }, gitRequest);
    expect(the.roles()).toEqual([`${role}-prod`, `${role}-other`]);
  });

  test.each(versions)(
    'to Git %s, which says that it can take it, gives a pre-encoded credential: %s',
    async (version, encoded) => {
      const the = await signedIn();
      const started = pretend(the, version);
      for (const place of ['before', 'after']) {
        const { stdout } = await run(shell, [the.helper, '--profile', 'prod', 'get'], the.env, announcing(place));
        expect(stdout).toMatch(
          encoded
            ? /^capability\[\]=authtype\nauthtype=Basic\ncredential=[A-Za-z0-9+/]+=*\nephemeral=1\npassword_expiry_utc=\d+\n$/
            : /^username=\S+\npassword=\S+\npassword_expiry_utc=\d+\n$/,
        );
      }
      // Nothing else was started to find that out, not even `git version`.
      expect(started()).toEqual(['credential-cache', 'credential-cache']);
    },
  );

  test.each(versions)('beside a helper that stores, Git %s gets a credential: %s', async (version, encoded) => {
    const the = await signedIn();
    pretend(the, version);
    writeFileSync(join(the.env.HOME ?? '', '.gitconfig'), '[credential]\n\thelper = store\n');
    const { stdout } = await run(shell, [the.helper, 'get'], { ...the.env, AWS_PROFILE: 'prod' }, announcing('before'));
    expect(stdout).toMatch(encoded ? /^capability.*\n.*\n.*\nephemeral=1\n/ : /^quit=1\n$/);
  });

  test.each(versions)('with Git %s passes the capability to the Node program: %s', async (version, encoded) => {
    const the = machine();
    const helper = installHelper(the);
    pretend(the, version);
    shadow(the, 'node', 'cat');
    for (const place of ['before', 'after']) {
      const { stdout } = await run(shell, [helper, 'get'], the.env, announcing(place));
      const capabilities = `${encoded ? 'capability[]=authtype\n' : ''}capability[]=state\n`;
      expect(stdout).toBe(`${capabilities}${gitRequest}`);
    }
  });

  test('gets the only form from an agent that has only one', async () => {
    const the = machine();
    const helper = installHelper(the);
    pretend(the, '2.60.0');
    const asked = await answering(the, 'username=u\npassword=p\npassword_expiry_utc=1\n');
    const { stdout } = await run(shell, [helper, 'get'], the.env, announcing('before'));
    expect(stdout).toBe('username=u\npassword=p\npassword_expiry_utc=1\n');
    expect(asked()).toBe(`vouch-protocol=1\nvouch-forms=both\ncapability[]=state\n${gitRequest}`);
  });

  test('passes Git only the lines that it knows, and no trace', async () => {
    const the = machine();
    const helper = installHelper(the);
    pretend(the, '2.60.0');
    await answering(
      the,
      'username=u\nquit=1\nurl=https://evil.example\npassword=p\nhost=evil.example\npassword_expiry_utc=1\nx\n',
    );
    const { stdout } = await run(shell, [helper, 'get'], { ...the.env, GIT_TRACE: '3' }, gitRequest);
    expect(stdout).toBe('username=u\npassword=p\npassword_expiry_utc=1\n');
  });

  test.each([[['--profile', 'get']], [['--node', 'get']], [['--profile']]])('refuses %j', async (args) => {
    const the = machine();
    const finished = await run(shell, [installHelper(the), ...args], the.env, gitRequest);
    expect(finished).toMatchObject({
      code: 2,
      stdout: 'quit=1\n',
      stderr: expect.stringMatching(/needs a value after --/),
    });
  });

  test.each(['store', 'erase', 'something-new'])('does nothing with a profile and %s', async (action) => {
    const the = machine();
    shadow(the, 'node', 'echo node was started >&2; exit 1');
    const finished = await run(shell, [installHelper(the), '--profile', 'prod', action], the.env, gitRequest);
    expect(finished).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('starts the Node of --node, with the profile; by default the one on the PATH', async () => {
    const the = machine();
    const helper = installHelper(the);
    const log = join(the.folder, 'log');
    const named = join(the.folder, 'named');
    shadow(the, 'node', `echo "path $*" >>'${log}'; echo quit=1`);
    writeFileSync(named, `#!/bin/sh\necho "named $*" >>'${log}'; echo quit=1\n`);
    const ask = () => run(shell, [helper, '--node', named, '--profile', 'team@b', 'get'], the.env, gitRequest);
    // Not executable yet.
    await ask();
    chmodSync(named, 0o755);
    await ask();
    // A folder is "executable" too.
    unlinkSync(named);
    mkdirSync(named);
    expect((await ask()).stdout).toBe('quit=1\n');
    expect(readFileSync(log, 'utf8').split('\n')).toEqual([
      expect.stringMatching(/^path (--\S+ )+\S+main\.cjs --profile team@b get$/),
      expect.stringMatching(/^named (--\S+ )+\S+main\.cjs --profile team@b get$/),
      expect.stringMatching(/^path (--\S+ )+\S+main\.cjs --profile team@b get$/),
      '',
    ]);
  });

  test('starts the Node program’s source if nothing was built', async () => {
    const the = machine();
    installHelper(the);
    const script = join(the.folder, 'package/cli/git-credential-vouch/git-credential-vouch');
    rmSync(join(the.folder, 'package/dist'), { recursive: true });
    shadow(the, 'node', 'echo "$*"');
    const { stdout } = await run(shell, [script, 'get'], the.env, gitRequest);
    const program = stdout.split(' ').at(-2) ?? '';
    expect(realpathSync(dirname(program))).toBe(dirname(script));
    expect(existsSync(join(root, 'cli/git-credential-vouch', basename(program)))).toBe(true);
  });

  test('finds Node and its program without a PATH that has them', async () => {
    const the = machine();
    installHelper(the);
    const script = join(the.folder, 'package/cli/git-credential-vouch/git-credential-vouch');
    const env = { ...the.env, PATH: join(the.folder, 'few') };
    mkdirSync(env.PATH);
    for (const tool of ['readlink', 'git']) symlinkSync(findOnPath(tool, the.env)[0] ?? '', join(env.PATH, tool));
    const { stdout, stderr } = await run(`/bin/${shell}`, [script, '--node', process.execPath, 'get'], env, gitRequest);
    expect(stdout).toBe('quit=1\n');
    expect(stderr).toBe('vouch: You are not signed in. Run `vouch login`, then try again.\n');
  });
});

test.each([
  ['any Git', gitRequest],
  ['one that announces the pre-encoded form', announcing('before')],
])('a recent refusal is reported to %s without another try, though two programs ask', async (_, request) => {
  const the = await signedIn();
  the.world.answers.sts = stsError('AccessDenied', 'no');
  const env = { ...the.env, AWS_PROFILE: 'prod', AWS_CONFIG_FILE: join(the.env.HOME ?? '', '.aws/config') };
  for (const version of ['2.47.3', '2.54.0']) {
    pretend(the, version);
    const before = the.world.count('sts');
    const { stdout, stderr } = await run(the.helper, ['--profile', 'team@b', 'get'], env, request);
    expect(stdout).toBe('quit=1\n');
    expect(stderr).toContain(`AWS refused the role ${role}-team@b.`);
    expect(the.world.count('sts')).toBe(before + 1);
  }
});
