import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { agentStatus, dropSession } from '../../../cli/agent/client/requests.ts';
import { type Config, changeConfig } from '../../../cli/config.ts';
import { checkUnanswered, forgetUnanswered, rememberUnanswered } from '../../../cli/login/unanswered.ts';
import { loginSocket, unansweredLogin } from '../../../cli/runtime-folder/runtime-folder.ts';
import { setupCodeCommit } from '../../../cli/vouch/commands/setup-codecommit.ts';
import { onTerminal } from '../../support/terminal.ts';
import { captured, gitRequest, host, installHelper, machine, read, root, run, setUpProfile } from '../support.ts';
import { type FakeIssuer, startFakeIssuer } from './fake-issuer.ts';

const vouch = `'${process.execPath}' '${join(root, 'cli/vouch/command-line.ts')}'`;
const notSignedIn = 'vouch: You are not signed in. Run `vouch login`, then try again.\n';

/** A machine with Git set up for Vouch, a server, and a browser that only notes what it should open. */
async function setUp(settings: Config = {}) {
  const the = machine();
  const issuer = await startFakeIssuer();
  onTestFinished(async () => {
    await dropSession(the.env).catch(() => {});
    await issuer.close();
  });
  installHelper(the);
  setUpProfile(the);
  await setupCodeCommit({}, captured(the.env).io);
  changeConfig(the.env, { server: issuer.url, ...settings });
  const opened = join(the.folder, 'opened');
  writeFileSync(opened, '');
  const browser = join(the.folder, 'bin/browser');
  writeFileSync(browser, `#!/bin/sh\necho "$1" >>'${opened}'\n`, { mode: 0o755 });
  the.env.BROWSER = browser;
  const request = join(the.folder, 'request');
  writeFileSync(request, gitRequest);
  return {
    ...the,
    issuer,
    /** The addresses that were given to the browser. */
    opened: () => read(opened).split('\n').filter(Boolean),
    /** Git on a terminal, asking for credentials. */
    git: (env: Record<string, string> = {}) =>
      onTerminal(`exec git credential fill <'${request}'`, { env: { ...the.env, ...env } }),
    /** The helper alone, which prints its process first. */
    helper: () =>
      onTerminal(
        `echo "pid=$$"; exec '${process.execPath}' '${join(root, 'cli/git-credential-vouch/main.ts')}' get <'${request}'`,
        the,
      ),
    vouch: (command: string) => onTerminal(`exec ${vouch} ${command}`, the),
    sockets: () => readdirSync(dirname(the.agentSocket)).filter((name) => name.endsWith('.sock')),
  };
}

/** The browser comes back from the server. */
async function comeBack(issuer: FakeIssuer, result: Record<string, string> = { code: 'the-code' }): Promise<void> {
  const request = issuer.pushed.at(-1);
  const query = new URLSearchParams({ ...result, state: request?.get('state') ?? '', iss: issuer.url });
  await fetch(`${request?.get('redirect_uri')}?${query}`, { redirect: 'manual' });
}

/** As `git -c` passes it on to the programs that Git starts. */
const gitSetting = (key: string, value: string) => ({ GIT_CONFIG_PARAMETERS: `'${key}'='${value}'` });

/** Waits for what comes soon, or somewhat later on a busy machine. */
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 });

const touch = /Touch your security key in the browser … {3}0:00/;
const following =
  /vouch: A sign-in is under way, and this waits for it: (http\S+)\n {2}Touch your key only if the page shows: amber otter canyon\n/;

describe('Git on a terminal, without a session', () => {
  test('has the person sign in, and prints where', async () => {
    const the = await setUp();
    const git = the.git();
    const [, address] = await git.until(
      /vouch: You are not signed in\. Git waits while you sign in\.\n[^\n]*\n {2}(http\S+)\nTouch your key only if the page shows: amber otter canyon\n/,
    );
    await git.until(touch);
    await comeBack(the.issuer);
    await git.until(/vouch: Signed in as alice@example\.com with "Work key" until /);
    // This server gives no tokens for AWS, which is reported like any other trouble.
    expect(await git.ended).toBe(128);
    expect(the.opened()).toEqual([address]);
    expect((await agentStatus(the.env)).session?.email).toBe('alice@example.com');
    expect(the.sockets().sort()).toEqual(['agent.sock', 'git.sock']);
  });

  test('keeps no session of another person than last time, and Git stops', async () => {
    const the = await setUp();
    changeConfig(the.env, { people: { [the.issuer.url]: 'bob@example.com' } });
    const git = the.git();
    await git.until(touch);
    await comeBack(the.issuer);
    expect(await git.ended).toBe(128);
    expect(git.said()).toContain(
      'vouch: alice@example.com signed in here, and last time it was bob@example.com: the session was not kept.',
    );
    expect(git.said()).toContain('on a terminal, which asks whether it is you');
    expect(the.issuer.asked).toContain('POST /token/revocation');
    expect((await agentStatus(the.env).catch(() => undefined))?.session ?? null).toBeNull();
  });

  test('Ctrl-C ends Git and the helper, and nothing stays behind', async () => {
    const the = await setUp();
    const git = the.git();
    await git.until(touch);
    const callback = the.issuer.pushed[0]?.get('redirect_uri') ?? '';
    expect((await fetch(callback)).status).toBe(400);
    git.type('\x03');
    expect(await git.ended).toBe(130);
    // The helper got the signal at the same moment as Git.
    await eventually(() => the.sockets()).toEqual([]);
    await eventually(() => fetch(callback).catch(({ message }) => message)).toBe('fetch failed');
    expect(git.said()).not.toContain('fatal');
  });

  test.each<[string, Config, Record<string, string>]>([
    ['in CI', {}, { CI: 'true' }],
    ['in CI, whatever the setting', { autoLogin: 'always' }, { CI: '1' }],
    ['when Git may not ask on the terminal', {}, { GIT_TERMINAL_PROMPT: '0' }],
    ['when the setting says never', { autoLogin: 'never' }, {}],
    ['when Git is told to ask nobody', {}, gitSetting('credential.interactive', 'false')],
    [
      'when Git is told to ask nobody, whatever the setting',
      { autoLogin: 'always' },
      gitSetting('credential.interactive', 'never'),
    ],
    ['when it is told so for these hosts', {}, gitSetting(`credential.https://${host}.interactive`, '0')],
    ['when other helpers are told to be silent', { autoLogin: 'always' }, { GCM_INTERACTIVE: 'Never' }],
  ])('prints what to do and stops %s', async (_, settings, env) => {
    const the = await setUp(settings);
    const git = the.git(env);
    expect(await git.ended).toBe(128);
    expect(git.said()).toBe(`${notSignedIn}fatal: credential helper 'vouch' told us to quit\n`);
    expect(the.issuer.pushed).toEqual([]);
    expect(the.opened()).toEqual([]);
  });

  test.each<[string, Record<string, string>]>([
    ['CI is empty', { CI: '' }],
    ['CI is false', { CI: 'false' }],
    ['GIT_TERMINAL_PROMPT is true', { GIT_TERMINAL_PROMPT: '1' }],
    ['Git may ask', gitSetting('credential.interactive', 'auto')],
    ['Git may not ask for other hosts', gitSetting('credential.https://github.com.interactive', 'never')],
    ['GCM_INTERACTIVE is empty', { GCM_INTERACTIVE: '' }],
  ])('starts a login if %s', async (_, env) => {
    const the = await setUp();
    const git = the.git(env);
    await git.until(touch);
    git.type('\x03');
    await git.ended;
  });

  test('without a server prints how to set one', async () => {
    const the = await setUp({ server: undefined });
    const git = the.git();
    expect(await git.ended).toBe(128);
    expect(git.said()).toContain('vouch enroll --server');
  });

  test('that has no role to sign in for reports that first', async () => {
    const the = await setUp();
    rmSync(join(String(the.env.HOME), '.aws'), { recursive: true });
    const git = the.git();
    expect(await git.ended).toBe(128);
    expect(git.said()).toContain('vouch: No AWS role is set up for Vouch.');
    expect(the.issuer.pushed).toEqual([]);
  });

  test('writes nothing but the answer to standard output', async () => {
    const the = await setUp();
    const out = join(the.folder, 'out');
    const helper = onTerminal(`exec git credential-vouch get <'${join(the.folder, 'request')}' >'${out}'`, the);
    await helper.until(touch);
    await comeBack(the.issuer, { error: 'access_denied' });
    expect(await helper.ended).toBe(0);
    expect(helper.said()).toContain('vouch: The sign-in was cancelled in the browser.');
    expect(read(out)).toBe('quit=1\n');
  });
});

describe('a job in the background of a shell', () => {
  test.each<[string, Config]>([
    ['no setting', {}],
    ['autoLogin always', { autoLogin: 'always' }],
  ])('with %s opens nothing, and prints what to do', async (_, settings) => {
    const the = await setUp(settings);
    // With job control each job has its own process group, and the shell has the terminal.
    const shell = onTerminal(
      `set -m; git credential fill <'${join(the.folder, 'request')}' & wait $!; echo "ended $?"`,
      the,
    );
    await shell.until(/ended 128/);
    expect(shell.said()).toContain(notSignedIn);
    expect(the.issuer.pushed).toEqual([]);
    expect(the.opened()).toEqual([]);
  });

  test('and one in its foreground has the person sign in', async () => {
    const the = await setUp();
    const shell = onTerminal(`set -m; git credential fill <'${join(the.folder, 'request')}'; echo "ended $?"`, the);
    await shell.until(touch);
    shell.type('\x03');
    await shell.ended;
  });
});

describe('the helper without a terminal', () => {
  /** Runs it, and reports the modules that it loads and only a login needs. */
  async function ask(the: Awaited<ReturnType<typeof setUp>>) {
    const hook = `import { registerHooks } from 'node:module';
      registerHooks({ load(url, context, next) {
        if (/openid-client|auto-login|browser-flow|open-browser/.test(url)) process._rawDebug('loaded ' + url);
        return next(url, context);
      } });`;
    const program = [
      '--import',
      `data:text/javascript,${encodeURIComponent(hook)}`,
      join(root, 'cli/git-credential-vouch/main.ts'),
      'get',
    ];
    return run(process.execPath, program, the.env, gitRequest);
  }

  test.each<[string, Config]>([
    ['no setting', {}],
    ['autoLogin auto', { autoLogin: 'auto' }],
    ['autoLogin never', { autoLogin: 'never' }],
  ])('and with %s stops Git, and loads nothing that a login needs', async (_, settings) => {
    const the = await setUp(settings);
    expect(await ask(the)).toEqual({ code: 0, stdout: 'quit=1\n', stderr: notSignedIn });
    expect(the.issuer.pushed).toEqual([]);
  });

  test('and with autoLogin always has the person sign in', async () => {
    const the = await setUp({ autoLogin: 'always' });
    const asked = ask(the);
    await eventually(() => the.opened().length).toBe(1);
    await comeBack(the.issuer);
    const { stdout, stderr } = await asked;
    expect(stdout).toBe('quit=1\n');
    expect(stderr).toMatch(/loaded .*auto-login/);
    expect(stderr).toContain('vouch: Signed in as alice@example.com');
    // Without a terminal no line is redrawn.
    expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

describe('a sign-in that nobody answers', () => {
  /** An editor's fetch, which is given up after a while. */
  async function unanswered(the: Awaited<ReturnType<typeof setUp>>): Promise<void> {
    const before = the.opened().length;
    const fetching = spawn(process.execPath, [join(root, 'cli/git-credential-vouch/main.ts'), 'get'], { env: the.env });
    fetching.stdin.end(gitRequest);
    const ended = once(fetching, 'close');
    await eventually(() => the.opened().length).toBe(before + 1);
    fetching.kill('SIGTERM');
    await ended;
  }
  const fetch = (the: Awaited<ReturnType<typeof setUp>>) =>
    run(process.execPath, [join(root, 'cli/git-credential-vouch/main.ts'), 'get'], the.env, gitRequest);

  test('keeps an editor’s next fetches from opening the next page, until vouch login', async () => {
    const the = await setUp({ autoLogin: 'always' });
    await unanswered(the);
    const { stdout, stderr } = await fetch(the);
    expect(stdout).toBe('quit=1\n');
    expect(stderr).toMatch(
      /^vouch: You are not signed in\. Nobody answered the sign-in that ended at \d\d:\d\d, so no other one begins before \d\d:\d\d.*\. Run `vouch login`, then try again\.\n$/,
    );
    expect(the.opened().length).toBe(1);
    // A person who is there is asked all the same.
    const git = the.git();
    await git.until(touch);
    git.type('\x03');
    await git.ended;

    const login = the.vouch('login');
    await login.until(touch);
    await comeBack(the.issuer);
    expect(await login.ended).toBe(0);
    await dropSession(the.env);
    await unanswered(the);
  });

  test('pauses for a quarter of an hour, then for twice as long, and for 8 hours at most', async () => {
    const { env } = machine();
    const minute = 60_000;
    const start = Date.parse('2026-11-30T09:00:00Z');
    const silentUntil = (now: number) => {
      for (let minutes = 0; ; minutes++) {
        try {
          checkUnanswered('Why.', env, now + minutes * minute);
          return minutes;
        } catch (error) {
          expect(error).toMatchObject({ kind: 'login-unanswered', exitCode: 3 });
        }
      }
    };
    expect(silentUntil(start)).toBe(0);
    const pauses = [15, 30, 60, 120, 240, 480, 480];
    for (const pause of pauses) {
      rememberUnanswered(env, start);
      expect(silentUntil(start)).toBe(pause);
    }
    // A clock that was set back does not prolong it.
    expect(silentUntil(start - minute)).toBe(0);
    forgetUnanswered(env);
    expect(silentUntil(start)).toBe(0);
  });

  test('is forgotten if the note is not readable', () => {
    const { env } = machine();
    rememberUnanswered(env);
    for (const text of ['', 'x', '1 0\n', `${Date.now()} 100\n`, `${Date.now()} -1\n`]) {
      writeFileSync(unansweredLogin(env), text);
      expect(() => checkUnanswered('Why.', env)).not.toThrow();
    }
  });
});

describe('of several processes', () => {
  test('one opens the browser and the others follow it to its end', async () => {
    const the = await setUp();
    const first = the.git();
    await first.until(touch);
    const others = [the.git(), the.git(), the.git()];
    for (const other of others) expect((await other.until(following))[1]).toBe(the.opened()[0]);
    await comeBack(the.issuer);
    for (const git of [first, ...others]) await git.ended;
    expect(the.issuer.pushed.length).toBe(1);
    expect(the.issuer.redeemed.length).toBe(1);
    expect(others.map((other) => other.said()).join('')).not.toMatch(/given up|not signed in/);
  });

  test('those who follow stop with the one that is cancelled in the browser', async () => {
    const the = await setUp();
    const [first, second] = [the.git(), the.git()];
    await Promise.race([first.until(touch), second.until(touch)]);
    await Promise.race([first.until(following), second.until(following)]);
    await comeBack(the.issuer, { error: 'access_denied' });
    for (const git of [first, second]) {
      expect(await git.ended).toBe(128);
      expect(git.said()).toContain('vouch: The sign-in was cancelled in the browser.\nvouch: Run `vouch login`');
    }
    expect(the.opened().length).toBe(1);
  });

  test('those who follow stop with the one that is given up with Ctrl-C', async () => {
    const the = await setUp();
    const first = the.git();
    await first.until(touch);
    const second = the.git();
    await second.until(following);
    first.type('\x03');
    expect(await second.ended).toBe(128);
    expect(second.said()).toContain('vouch: The sign-in was given up. Run `vouch login`, then try again.\n');
    expect(the.opened().length).toBe(1);
    await first.ended;
    await eventually(() => the.sockets()).toEqual([]);
  });

  test('one takes over from one that dies without a result', async () => {
    const the = await setUp();
    const first = the.helper();
    const [, pid] = await first.until(/pid=(\d+)/);
    await first.until(touch);
    const others = [the.git(), the.git()];
    for (const other of others) await other.until(following);
    process.kill(Number(pid), 'SIGKILL');
    await Promise.any(others.map((other) => other.until(touch)));
    await Promise.any(
      others.map((other) => other.until(new RegExp(`${following.source}[\\s\\S]*${following.source}`))),
    );
    await comeBack(the.issuer);
    for (const git of [first, ...others]) await git.ended;
    expect(the.opened().length).toBe(2);
    expect((await agentStatus(the.env)).session?.email).toBe('alice@example.com');
    expect(the.sockets().sort()).toEqual(['agent.sock', 'git.sock']);
  });

  test('Git waits for a vouch login that is under way', async () => {
    const the = await setUp();
    const login = the.vouch('login');
    await login.until(touch);
    const git = the.git();
    await git.until(following);
    await comeBack(the.issuer);
    expect(await login.ended).toBe(0);
    await git.ended;
    expect(git.said()).not.toContain('not signed in');
    expect(the.opened().length).toBe(1);
  });

  test('vouch login goes on beside a Git that waits, and Git goes on with its session', async () => {
    const the = await setUp();
    const git = the.git();
    await git.until(touch);
    const follower = the.git();
    await follower.until(following);
    const login = the.vouch('login --no-browser');
    await login.until(/^Another sign-in is under way already; this one goes on beside it\.\n/);
    await login.until(touch);
    await comeBack(the.issuer);
    expect(await login.ended).toBe(0);
    for (const one of [git, follower]) {
      await one.ended;
      expect(one.said()).not.toMatch(/given up|timed|unexpected/);
    }
    expect(the.sockets().sort()).toEqual(['agent.sock', 'git.sock']);
  });

  test('a process that has stopped does not keep the one that it follows', async () => {
    const the = await setUp({ autoLogin: 'always' });
    const first = the.git();
    await first.until(touch);
    // Without a terminal, as script(1) would stop as well, and then go on by itself.
    const second = spawn(process.execPath, [join(root, 'cli/git-credential-vouch/main.ts'), 'get'], { env: the.env });
    onTestFinished(() => void second.kill('SIGKILL'));
    second.stdin.end(gitRequest);
    let said = '';
    second.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = once(second, 'close');
    await eventually(() => said).toMatch(following);
    second.kill('SIGSTOP');
    await comeBack(the.issuer);
    await first.ended;
    second.kill('SIGCONT');
    await ended;
    expect(said).not.toMatch(/given up/);
  });
});

describe('what else can be in the place of the socket', () => {
  test('a file is named, and left alone', async () => {
    const the = await setUp();
    mkdirSync(dirname(the.agentSocket), { mode: 0o700 });
    writeFileSync(loginSocket(the.env), 'mine');
    const git = the.git();
    expect(await git.ended).toBe(128);
    expect(git.said()).toContain(loginSocket(the.env));
    expect(read(loginSocket(the.env))).toBe('mine');
  });

  test.each([
    ['more than anybody waits for', 'x'.repeat(100_000)],
    ['a failure without a reason', '{"state":"failed"}\n'],
    ['nonsense first', 'null\n[]\n{"state":{}}\n"x"\n{"state":"failed","problem":{"type":3}}\n'],
  ])('something that says %s is not followed', async (_, words) => {
    const the = await setUp();
    mkdirSync(dirname(the.agentSocket), { mode: 0o700 });
    const connected = new Set<Socket>();
    const server = createServer((socket) => {
      connected.add(socket.on('error', () => {}));
      socket.write(words);
    });
    await new Promise<void>((resolve) => server.listen(loginSocket(the.env), resolve));
    onTestFinished(() => {
      for (const socket of connected) socket.destroy();
      server.close();
    });
    const git = the.git();
    expect(await git.ended).toBe(128);
    expect(git.said()).toContain('does not say properly how it goes. Run `vouch login`, then try again.');
    expect(the.opened()).toEqual([]);
  });

  test('an address cannot steer the terminal', async () => {
    const the = await setUp();
    mkdirSync(dirname(the.agentSocket), { mode: 0o700 });
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(
        `${JSON.stringify({ state: 'page', url: 'http://x/\u001b]0;owned\u0007', words: 'a\u001b[2J' })}\n{"state":"failed"}\n`,
      );
    });
    await new Promise<void>((resolve) => server.listen(loginSocket(the.env), resolve));
    onTestFinished(() => void server.close());
    const git = the.git();
    await git.ended;
    expect(git.said()).toContain('waits for it: http://x/ ]0;owned\n');
    expect(git.said()).toContain('page shows: a [2J\n');
  });
});
