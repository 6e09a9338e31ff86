import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leftovers } from '../../../cli/doctor/checks/leftovers.ts';
import { inKeychain } from '../../../cli/doctor/leftovers/keychain.ts';
import { findTarget } from '../../../cli/doctor/target-repository.ts';
import { setupCodeCommit } from '../../../cli/vouch/commands/setup-codecommit.ts';
import { captured, installHelper, machine, read, run } from '../support.ts';
import { ids, visitTo } from './visit.ts';

const host = 'git-codecommit.us-east-1.amazonaws.com';
const other = 'git-codecommit.eu-west-1.amazonaws.com';
const path = '/v1/repos/demo';

/** A machine on which Vouch is set up, with a repository. */
async function setUpMachine(files: Record<string, string> = {}) {
  const the = machine();
  const home = the.env.HOME ?? '';
  installHelper(the);
  const at = (name: string) => join(home, name);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text);
  }
  const repository = at('repo');
  const git = async (...args: string[]) => {
    const ended = await run('git', ['-C', repository, ...args], the.env);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  };
  await run('git', ['init', '--quiet', repository], the.env);
  const visit = async () => ({ ...(await visitTo(the)), cwd: repository });
  return {
    ...the,
    at,
    git,
    visit,
    setUp: () => setupCodeCommit({}, captured(the.env).io, repository),
    look: async () => {
      const one = await visit();
      return (await leftovers.applies?.(one)) ? ((await leftovers.run(one)).findings ?? []) : [];
    },
    /** Does what the findings' commands say, as a person would who copies them. */
    follow: async (steps: readonly string[]) => {
      const commands = steps.flatMap((step) => [...step.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command));
      for (const command of commands.filter((one) => !one.startsWith('aws iam '))) {
        expect(await run('sh', ['-c', `cd ${repository} && ${command}`], the.env)).toMatchObject({
          code: 0,
          stderr: '',
        });
      }
    },
  };
}

const steps = (findings: readonly { steps?: string[] }[]) => findings.flatMap(({ steps = [] }) => steps);
const text = (findings: unknown) => JSON.stringify(findings);

describe('what is left of other ways to CodeCommit', () => {
  test('nothing, on a machine that knows only Vouch, and other hosts in their own ways', async () => {
    const the = await setUpMachine({
      '.ssh/config': 'Host github.com\n  User git\n  IdentityFile ~/.ssh/id\nHost *\n  AddKeysToAgent yes\n',
      '.git-credentials': 'https://bob:secret@github.com\n',
      '.netrc': 'machine example.com login git-codecommit password secret\n',
      '.gitconfig': '[credential]\n\thelper = manager\n[credential "https://github.com"]\n\thelper = store\n',
    });
    await the.setUp();
    await the.git('remote', 'add', 'origin', `https://${host}${path}`);
    await the.git('remote', 'add', 'hub', 'git@github.com:bob/demo.git');
    expect(await the.look()).toEqual([]);
  });

  test("AWS CLI's helper, and its commands", async () => {
    const the = await setUpMachine({ '.gitconfig': '[user]\n\tname = A\n' });
    // As AWS documents it.
    await the.git('config', '--global', 'credential.helper', '!aws codecommit credential-helper $@');
    await the.git('config', '--global', 'credential.UseHttpPath', 'true');
    await the.git(
      'config',
      '--global',
      `credential.https://${other}.helper`,
      '!aws --profile b codecommit credential-helper $@',
    );
    await the.setUp();
    const found = await the.look();
    expect(ids({ says: '', findings: found })).toEqual(['leftovers.aws-helper', 'leftovers.aws-helper']);
    await the.follow(steps(found));
    expect(await the.look()).toEqual([]);
    expect(read(the.at('.gitconfig'))).not.toContain('!aws');
    expect(read(the.at('.gitconfig'))).toContain('helper = vouch');
  });

  test('a section for CodeCommit goes whole, so that no empty helper stays that would clear Vouch’s', async () => {
    const the = await setUpMachine();
    await the.setUp();
    const section = `credential.https://${host}`;
    await the.git('config', '--global', `${section}.helper`, '');
    await the.git(
      'config',
      '--global',
      '--add',
      `${section}.helper`,
      '/usr/local/share/gcm-core/git-credential-manager',
    );
    await the.git('config', '--global', `${section}.provider`, 'generic');
    await the.git('config', '--local', 'credential.helper', '!f() { echo password=hunter2; }; f');
    const found = await the.look();
    // The local one serves every host.
    expect(ids({ says: '', findings: found })).toEqual(['leftovers.credential-manager']);
    await the.follow(steps(found));
    expect(read(the.at('.gitconfig'))).not.toContain(`"https://${host}"`);
    await the.git('config', '--local', `${section}.helper`, '!f() { echo password=hunter2; }; f');
    const command = await the.look();
    expect(ids({ says: '', findings: command })).toEqual(['leftovers.helper']);
    expect(text(command)).not.toContain('hunter2');
    await the.follow(steps(command));
    expect(await the.look()).toEqual([]);
  });

  test("AWS's git-remote-codecommit behind Vouch's", async () => {
    const the = await setUpMachine();
    const put = (folder: string, name: string) => {
      mkdirSync(the.at(folder), { recursive: true });
      writeFileSync(the.at(`${folder}/${name}`), '#!/bin/sh\n', { mode: 0o755 });
    };
    put('package/bin', 'git-remote-codecommit');
    writeFileSync(the.at('package/package.json'), '{"name":"vouch","version":"1.0.0"}');
    put('.local/pipx/venvs/git-remote-codecommit/bin', 'git-remote-codecommit');
    mkdirSync(the.at('.local/bin'), { recursive: true });
    symlinkSync(
      the.at('.local/pipx/venvs/git-remote-codecommit/bin/git-remote-codecommit'),
      the.at('.local/bin/git-remote-codecommit'),
    );
    put('pip/bin', 'git-remote-codecommit');
    const PATH = ['package/bin', '.local/bin', 'pip/bin']
      .map(the.at)
      .concat(the.env.PATH ?? '')
      .join(':');
    const { findings = [] } = await leftovers.run({ ...(await the.visit()), env: { ...the.env, PATH } });
    expect(ids({ says: '', findings })).toEqual(['leftovers.remote-helper', 'leftovers.remote-helper']);
    expect(steps(findings)).toEqual([
      '`pipx uninstall git-remote-codecommit`',
      '`pip uninstall git-remote-codecommit`',
    ]);
  });

  test('remotes over SSH and with a password, and rules that rewrite addresses', async () => {
    const the = await setUpMachine({ '.ssh/config': `Host cc\n  HostName ${other}\n  User APKAEIBAERJR2EXAMPLE\n` });
    await the.setUp();
    await the.git('remote', 'add', 'url', `ssh://${host}${path}`);
    await the.git('remote', 'add', 'key', `APKAEIBAERJR2EXAMPLE@${host}:v1/repos/demo`);
    await the.git('remote', 'add', 'alias', `ssh://cc${path}`);
    await the.git('remote', 'add', 'static', `https://alice-at-123456789012:hunter2@${host}${path}`);
    await the.git('remote', 'add', 'both', `https://${host}${path}`);
    await the.git('remote', 'set-url', '--push', 'both', `ssh://${host}${path}`);
    await the.git('config', '--global', `url.ssh://${host}/.insteadOf`, 'cc:');
    await the.git('config', '--global', `url.ssh://a:hunter2@${host}/.insteadOf`, 'bb:');
    const found = (await the.look()).filter(({ id }) => id !== 'leftovers.ssh-config');
    expect(ids({ says: '', findings: found })).toEqual([
      'leftovers.ssh-remote',
      'leftovers.ssh-remote',
      'leftovers.ssh-remote',
      'leftovers.password-in-remote',
      'leftovers.ssh-remote',
      'leftovers.ssh-instead-of',
      'leftovers.ssh-instead-of',
    ]);
    expect(text(found)).not.toContain('hunter2');
    await the.git('config', '--global', '--remove-section', `url.ssh://a:hunter2@${host}/`);
    await the.follow(steps(found.filter(({ steps = [] }) => !text(steps).includes('--edit'))));
    const { stdout } = await run('git', ['-C', the.at('repo'), 'remote', '-v'], the.env);
    expect(stdout.split('\n').filter((line) => !/\thttps:\/\/git-codecommit/.test(line))).toEqual(['']);
    expect(stdout).toContain(`alias\thttps://${other}${path} (push)`);
    expect(ids({ says: '', findings: await the.look() })).toEqual(['leftovers.ssh-config']);
  });

  test('a remote over SSH that Git opens over HTTPS, by a rule, is no leftover', async () => {
    const the = await setUpMachine();
    await the.git('remote', 'add', 'url', `ssh://${host}${path}`);
    await the.git('config', '--global', `url.https://${host}/.insteadOf`, `ssh://${host}/`);
    expect(await the.look()).toEqual([]);
  });

  test('an address with a name from the SSH configuration is examined over HTTPS', async () => {
    const the = await setUpMachine({ '.ssh/config': `host = cc other\n  hostname "${other}"\n` });
    for (const address of [`ssh://cc${path}`, `APKAX@cc:v1/repos/demo`, `ssh://APKAX@other:22${path}`]) {
      const target = await findTarget(address, {
        env: the.env,
        cwd: the.at('repo'),
        signal: new AbortController().signal,
      });
      expect(target).toMatchObject({ https: `https://${other}${path}`, instead: { scheme: 'ssh' } });
    }
    const unknown = findTarget(`ssh://nobody${path}`, { env: the.env, cwd: '/', signal: new AbortController().signal });
    await expect(unknown).rejects.toThrow(expect.objectContaining({ kind: 'not-codecommit' }));
  });

  test('keys in SSH’s configuration, also in included files', async () => {
    const keep = 'Host github.com\n  User git\n\n';
    const the = await setUpMachine({
      '.ssh/config': `Include conf.d/*\n${keep}Host git-codecommit.*.amazonaws.com\n  User APKAEIBAERJR2EXAMPLE\n  IdentityFile ~/.ssh/codecommit_rsa\n\n# mine\nHost cc\n\tHostName=${other}\n\nMatch all\n  Compression yes\n`,
      '.ssh/conf.d/work': `Host gerrit.example ${host}\n  User alice\n`,
    });
    const found = await the.look();
    expect(ids({ says: '', findings: found })).toEqual(['leftovers.ssh-config', 'leftovers.ssh-config']);
    expect(found[0]?.why).toEqual([expect.stringContaining('~/.ssh/codecommit_rsa')]);
    expect(text(found)).toContain('--ssh-public-key-id APKAEIBAERJR2EXAMPLE`');
    expect(found[1]?.steps?.[0]).toBe(`In an editor, keep what is not for CodeCommit: Host gerrit.example ${host}`);
    await the.follow(steps(found));
    expect(read(the.at('.ssh/config'))).toBe(`Include conf.d/*\n${keep}\n# mine\n\nMatch all\n  Compression yes\n`);
    writeFileSync(the.at('.ssh/conf.d/work'), 'Host gerrit.example\n  User alice\n');
    expect(await the.look()).toEqual([]);
  });

  test('a file that includes itself, and one without an end, are read once', async () => {
    const the = await setUpMachine({ '.ssh/config': `Include config ~/.ssh/config\nHost ${host}` });
    expect(ids({ says: '', findings: await the.look() })).toEqual(['leftovers.ssh-config']);
  });

  test('static user names and passwords in stores and in .netrc, never shown', async () => {
    const stored = `https://alice-at-123456789012:hunter2@${host}\nhttps://bob:x@github.com\nhttps://a:hunter2@${host}${path}\n`;
    const netrc = `machine github.com login bob password x\nmachine ${host}\n  login alice\n  password hunter2\n\nmachine ${other} login a password hunter2\nmachine x.example login machine password y`;
    const the = await setUpMachine({
      '.git-credentials': stored,
      '.config/git/credentials': stored.replaceAll(host, other),
      mine: `https://a:hunter2@${host}\n`,
      '.netrc': netrc,
    });
    await the.git('config', '--global', 'credential.helper', 'store --file ~/mine');
    const found = await the.look();
    expect(ids({ says: '', findings: found })).toEqual(Array(4).fill('leftovers.stored-password'));
    expect(text(found)).not.toContain('hunter2');
    expect(steps(found).filter((step) => step.includes('delete-service-specific-credential'))).toHaveLength(1);
    await the.follow(steps(found));
    expect(read(the.at('.git-credentials'))).toBe('https://bob:x@github.com\n');
    expect(read(the.at('.config/git/credentials'))).toBe('https://bob:x@github.com\n');
    expect(read(the.at('mine'))).toBe('');
    expect(read(the.at('.netrc'))).toBe(
      'machine github.com login bob password x\n\nmachine x.example login machine password y',
    );
    expect(await the.look()).toEqual([]);
  });

  test('an entry of .netrc that shares its line is left to the person', async () => {
    const the = await setUpMachine({
      '.netrc': `machine a.example login b password c machine ${host} login d password hunter2\n`,
    });
    const found = await the.look();
    expect(found[0]?.steps?.[0]).toBe(`In an editor, which keeps the other entries on the same lines: ${host}`);
    expect(text(found)).not.toContain('sed');
  });

  test('Git Credential Manager’s files', async () => {
    const the = await setUpMachine({
      [`.gcm/store/git/https/${host}/alice.credential`]: 'hunter2\n',
      [`.password-store/git/https/${other}/alice.gpg`]: 'hunter2\n',
      '.gcm/store/git/https/github.com/bob.credential': 'x\n',
    });
    const found = await the.look();
    expect(ids({ says: '', findings: found })).toEqual(Array(2).fill('leftovers.stored-password'));
    expect(found[0]?.steps?.[0]).toBe(
      `\`printf 'protocol=https\\nhost=${host}\\n\\n' | git credential-manager erase\``,
    );
  });

  test('macOS’s keychain, of which nothing but its answer is read', async () => {
    const the = await setUpMachine();
    const asked = the.at('asked');
    const security = `#!/bin/sh\necho "$@" >>'${asked}'\ncase "$*" in *internet*${other}|*generic*//${host}) exit 0;; esac\nexit 44\n`;
    writeFileSync(join(the.folder, 'bin/security'), security, { mode: 0o755 });
    const visit = await visitTo(the, `https://${other}${path}`);
    const found = inKeychain(visit, 'darwin');
    expect(found.map(({ steps }) => steps?.[0]?.replace(/.*\| /, ''))).toEqual([
      'git credential-osxkeychain erase`',
      'git credential-manager erase`',
    ]);
    expect(read(asked)).not.toMatch(/-[gw]\b/);
    expect(inKeychain(visit, 'linux')).toEqual([]);
  });
});
