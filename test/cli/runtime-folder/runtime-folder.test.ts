import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { agentStatus, putSession } from '../../../cli/agent/client/requests.ts';
import { startAgent } from '../../../cli/agent/client/start.ts';
import { serve } from '../../../cli/agent/serve.ts';
import { changeConfig, readConfig } from '../../../cli/config.ts';
import { replaceFile } from '../../../cli/files/replace-file.ts';
import { awsConfigFile, configFile, home } from '../../../cli/paths.ts';
import { prepareRuntimeFolder } from '../../../cli/runtime-folder/prepare-folder.ts';
import { runtimeFolder, runtimeFolders } from '../../../cli/runtime-folder/runtime-folder.ts';
import { logout } from '../../../cli/vouch/commands/logout.ts';
import { setupCodeCommit } from '../../../cli/vouch/commands/setup-codecommit.ts';
import { beRootWith } from '../other-users.ts';
import { captured, type Machine, machine, newSession, root, runCommand } from '../support.ts';

/** The folder in which logind makes its folders, for this test. */
const logind = vi.hoisted(() => ({ runUser: '' }));
vi.mock('../../../cli/runtime-folder/run-user.ts', () => logind);

/** The system's data about this user, for this test, if it has any. */
const user = vi.hoisted(() => ({ homedir: '' as string | undefined }));
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo: () => {
    if (user.homedir === undefined) throw new Error('uv_os_get_passwd returned ENOENT');
    return user;
  },
}));

/** A machine where logind has made a folder for this user. */
function withLogind(): Machine & { runtime: string } {
  const the = machine();
  logind.runUser = join(the.folder, 'user');
  const runtime = join(logind.runUser, String(process.getuid?.()));
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  return { ...the, runtime };
}

/** An agent with a session, in this process. */
async function agentOf(env: NodeJS.ProcessEnv): Promise<void> {
  const running = await serve({ env });
  onTestFinished(() => running?.end());
  await putSession(newSession('https://vouch.example.com'), env);
}

describe('the home folder', () => {
  test.each(['', '.', 'home', './home', undefined])('is never the current folder: HOME=%j', (HOME) => {
    user.homedir = '/home/alice';
    expect(home({ HOME })).toBe('/home/alice');
    for (const XDG_CONFIG_HOME of [undefined, '', '.', 'config']) {
      expect(configFile({ HOME, XDG_CONFIG_HOME })).toBe('/home/alice/.config/vouch/config.json');
    }
    for (const AWS_CONFIG_FILE of [undefined, '', 'config', './config', '~', '~alice/config']) {
      expect(awsConfigFile({ HOME, AWS_CONFIG_FILE })).toBe('/home/alice/.aws/config');
    }
    expect(awsConfigFile({ HOME, AWS_CONFIG_FILE: '~/other' })).toBe('/home/alice/other');
    const relative = { HOME, XDG_RUNTIME_DIR: '.', XDG_CACHE_HOME: 'cache' };
    expect(runtimeFolders(relative).at(-1)).toBe('/home/alice/.cache/vouch');
  });

  test.each(['', '.', undefined])('is asked for where nobody knows it: HOME=%j', (HOME) => {
    const refused = expect.objectContaining({ kind: 'no-home', fix: expect.stringContaining('Set HOME') });
    for (const homedir of [undefined, '', 'home']) {
      user.homedir = homedir;
      expect(() => home({ HOME })).toThrow(refused);
      expect(() => readConfig({ HOME })).toThrow(refused);
    }
  });

  test('does not take the server from the folder in which a command runs', async () => {
    const the = machine();
    const planted = join(the.folder, 'here');
    mkdirSync(join(planted, '.config/vouch'), { recursive: true });
    writeFileSync(join(planted, '.config/vouch/config.json'), '{"server":"https://evil.example"}');
    const said = async (env: NodeJS.ProcessEnv) => {
      const options = { env: { ...the.env, ...env }, cwd: planted };
      const vouch = [join(root, 'cli/vouch/command-line.ts'), 'config', 'list'];
      // It fails when the system has no home folder.
      const { stdout, stderr } = await promisify(execFile)(process.execPath, vouch, options).catch((error) => error);
      return stdout + stderr;
    };
    expect(await said({ HOME: planted })).toContain('evil');
    for (const env of [{ HOME: '' }, { HOME: '.' }, { XDG_CONFIG_HOME: '.config' }]) {
      expect(await said(env)).toMatch(/^(server|vouch: Your home folder is not known)/);
      expect(await said(env)).not.toContain('evil');
    }
  });
});

describe('the folder of the sockets', () => {
  test('is logind’s if XDG_RUNTIME_DIR does not lead to a folder, as in cron', () => {
    const { folder, env, runtime } = withLogind();
    const cache = join(folder, 'home/.cache/vouch');
    expect(runtimeFolders(env)).toEqual([join(folder, 'run/vouch'), cache]);
    for (const XDG_RUNTIME_DIR of [undefined, '', 'run', join(folder, 'none')]) {
      expect(runtimeFolders({ ...env, XDG_RUNTIME_DIR })).toEqual([join(runtime, 'vouch'), cache]);
      expect(runtimeFolder({ ...env, XDG_RUNTIME_DIR })).toBe(join(runtime, 'vouch'));
    }
  });

  test('is logind’s own name for it, in what Git runs too', async () => {
    const { runUser } = await vi.importActual<typeof import('../../../cli/runtime-folder/run-user.ts')>(
      '../../../cli/runtime-folder/run-user.ts',
    );
    expect(runUser).toBe('/run/user');
    expect(readFileSync(join(root, 'cli/git-credential-vouch/git-credential-vouch'), 'utf8')).toContain(
      ` ${runUser}/*;`,
    );
  });

  test('is not logind’s if logind has made none for us', () => {
    const { folder, env, runtime } = withLogind();
    const { XDG_RUNTIME_DIR: _, ...rest } = env;
    beRootWith(runtime);
    expect(runtimeFolder(rest)).toBe(join(folder, 'home/.cache/vouch'));
  });

  test.each(['in logind’s folder', 'in the cache folder'])(
    'is one for all who ask, with and without the variable: a session %s is found, and ended',
    async (where) => {
      const { folder, env, runtime } = withLogind();
      const { XDG_RUNTIME_DIR: _, ...cron } = env;
      const shell = { ...env, XDG_RUNTIME_DIR: runtime };
      if (where === 'in the cache folder') {
        // Before logind has made its folder.
        logind.runUser = join(folder, 'none');
        await agentOf(cron);
        logind.runUser = dirname(runtime);
        expect(readdirSync(join(folder, 'home/.cache/vouch'))).toContain('agent.sock');
      } else {
        await agentOf(shell);
        expect(readdirSync(join(runtime, 'vouch'))).toContain('agent.sock');
      }
      for (const asking of [cron, shell]) {
        expect((await agentStatus(asking)).session?.email).toBe('alice@example.com');
        // A login finds the agent, and does not start another one.
        expect(await startAgent(asking)).toEqual({ started: false });
      }
      const { io, out } = captured(where === 'in the cache folder' ? shell : cron);
      expect(await logout({}, io)).toBe(0);
      expect(out.stdout).toContain('Signed out alice@example.com');
      // Nothing is left, and the next agent is in the right folder.
      for (const asking of [cron, shell]) {
        await expect(agentStatus(asking)).rejects.toMatchObject({ kind: 'agent-not-running' });
        expect(runtimeFolder(asking)).toBe(join(runtime, 'vouch'));
      }
    },
  );

  test('is made for us alone, and sticky, by which Git’s helper recognises it', () => {
    const { env, folder } = machine();
    const made = join(folder, 'run/vouch');
    expect(prepareRuntimeFolder(env)).toBe(made);
    expect(statSync(made).mode & 0o7777).toBe(0o1700);
    chmodSync(made, 0o700);
    prepareRuntimeFolder(env);
    expect(statSync(made).mode & 0o7777).toBe(0o1700);
  });

  test('is refused if others could put another in its place, and not made', async () => {
    const { env, folder } = machine();
    chmodSync(join(folder, 'run'), 0o777);
    const refused = { kind: 'unsafe-folder', fix: expect.stringContaining(`chmod go-w '${folder}/run'`) };
    await expect(startAgent(env)).rejects.toMatchObject(refused);
    await expect(agentStatus(env)).rejects.toMatchObject(refused);
    expect(existsSync(join(folder, 'run/vouch'))).toBe(false);
  });
});

describe('the settings', () => {
  test.each(['folder', 'file'])('are not believed where others could change them: a %s open to them', (what) => {
    const { env, folder } = machine();
    changeConfig(env, { server: 'https://vouch.example.com' });
    const file = join(folder, 'home/.config/vouch/config.json');
    chmodSync(what === 'file' ? file : join(folder, 'home/.config'), 0o777);
    const refused = expect.objectContaining({
      kind: 'unsafe-folder',
      what: expect.stringMatching(/^Vouch's settings/),
    });
    expect(() => readConfig(env)).toThrow(refused);
    expect(() => changeConfig(env, {})).toThrow(refused);
  });
});

describe('under sudo -E, with another user’s HOME and XDG_RUNTIME_DIR,', () => {
  const refused = { kind: 'unsafe-folder', fix: 'Run it without sudo, as that user.' };

  test('nothing is made, and nothing to be removed', async () => {
    const { env, folder } = machine();
    prepareRuntimeFolder(env);
    for (const path of ['run/vouch', 'run', 'home']) beRootWith(join(folder, path));
    expect(() => prepareRuntimeFolder(env)).toThrow(expect.objectContaining(refused));
    expect(() => readConfig(env)).toThrow(expect.objectContaining(refused));
    expect(() => replaceFile(join(folder, 'home/.aws/config'), '')).toThrow(expect.objectContaining(refused));
    await expect(agentStatus(env)).rejects.toMatchObject(refused);
    const { code, stderr } = await runCommand(env, (io) => setupCodeCommit({}, io));
    expect([code, stderr]).toEqual([1, expect.stringContaining(refused.fix)]);
    expect(readdirSync(join(folder, 'home'))).toEqual([]);
    expect(readdirSync(join(folder, 'run/vouch'))).toEqual([]);
  });

  test('a folder of the user’s in root’s own is left alone too', () => {
    const { env, folder } = machine();
    const made = prepareRuntimeFolder(env);
    const owner = beRootWith(made);
    expect(() => prepareRuntimeFolder(env)).toThrow(
      expect.objectContaining({
        ...refused,
        why: expect.stringContaining(`belongs to user ${owner}, and you are user 0`),
      }),
    );
    expect(existsSync(join(folder, 'run/vouch'))).toBe(true);
  });
});
