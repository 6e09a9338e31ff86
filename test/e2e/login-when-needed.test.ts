import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { onTerminal } from '../support/terminal.ts';

let sandbox: Sandbox;
let opened: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  opened = join(sandbox.folder, 'opened');
});
afterAll(() => sandbox?.close());

beforeEach(async () => {
  await sandbox.run('vouch', ['logout']);
  await sandbox.run('vouch', ['config', 'unset', 'autoLogin']);
  writeFileSync(opened, '');
});

/** The environment with a browser that records the address, and then opens it (`works`) or does not (`idle`). */
function browser(kind: 'works' | 'idle'): Record<string, string> {
  const file = join(sandbox.folder, `browser-${kind}`);
  const then = kind === 'works' ? `exec '${sandbox.env.BROWSER}' "$1"` : '';
  writeFileSync(file, `#!/bin/sh\necho "$1" >>'${opened}'\n${then}\n`, { mode: 0o755 });
  return { ...sandbox.env, BROWSER: file };
}

/** Waits for a value that comes soon, or on a busy machine somewhat later. */
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 });

const tabs = () => readFileSync(opened, 'utf8').split('\n').filter(Boolean);
const lsRemote = () => `exec git ls-remote '${sandbox.repositoryUrl}'`;
const sockets = () =>
  readdirSync(join(String(sandbox.env.XDG_RUNTIME_DIR), 'vouch'))
    .filter((name) => name.endsWith('.sock'))
    .sort();

/** How many authorization requests the server has had (RFC 9126). */
const pushedRequests = () =>
  readFileSync(sandbox.serverLog, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"method":"POST"') && line.includes('"path":"/request"')).length;

describe.sequential('a login when Git needs one', () => {
  test('git ls-remote on a terminal makes the person sign in, and works', async () => {
    const git = onTerminal(lsRemote(), { env: browser('works'), cwd: sandbox.home });
    expect(await git.ended).toBe(0);
    expect(git.said()).toContain('vouch: You are not signed in. Git waits while you sign in.\n');
    expect(git.said()).toContain(`  ${tabs()[0]}\n`);
    expect(git.said()).toMatch(
      /vouch: Signed in as alice@example\.com with "Work key" until (\w+ \d+ \w+ )?\d\d:\d\d, 8 h from now\n/,
    );
    expect(tabs().length).toBe(1);
    expect(sockets()).toEqual(['agent.sock', 'git.sock']);
    // The next one needs no login.
    const next = onTerminal(lsRemote(), { env: browser('works'), cwd: sandbox.home });
    expect([await next.ended, next.said()]).toEqual([0, '']);
  });

  test('twenty Git processes at once open one tab, and all of them work', async () => {
    const before = pushedRequests();
    const env = browser('idle');
    const gits = Array.from({ length: 20 }, () => onTerminal(lsRemote(), { env, cwd: sandbox.home }));
    await Promise.all(gits.map((git) => git.until(/a sign-in is under way, and this waits for it: http|Touch your/)));
    await eventually(() => tabs().length).toBe(1);
    const [address = ''] = tabs();
    for (const git of gits) expect(git.said()).toContain(address);
    await sandbox.browser?.open(address);
    expect(await Promise.all(gits.map(({ ended }) => ended))).toEqual(gits.map(() => 0));
    expect(tabs()).toEqual([address]);
    expect(pushedRequests() - before).toBe(1);
    expect(sockets()).toEqual(['agent.sock', 'git.sock']);
  });

  test('an editor without a terminal gets a login when the setting says always', async () => {
    await sandbox.succeed('vouch', ['config', 'set', 'autoLogin', 'always']);
    const fetched = await sandbox.succeed('git', ['ls-remote', sandbox.repositoryUrl]);
    expect(fetched.stderr).toContain('vouch: Signed in as alice@example.com');
  });

  test('without a terminal Git stops, and the server gets no request', async () => {
    const before = pushedRequests();
    const refused = await sandbox.run('git', ['ls-remote', sandbox.repositoryUrl]);
    expect(refused.code).toBe(128);
    // Newer versions of Git add a line.
    expect(refused.stderr.split('\n').slice(0, 2)).toEqual([
      'vouch: You are not signed in. Run `vouch login`, then try again.',
      "fatal: credential helper 'vouch' told us to quit",
    ]);
    expect(pushedRequests()).toBe(before);
  });

  test('Ctrl-C stops Git and the login, and the next try works', async () => {
    const git = onTerminal(lsRemote(), { env: browser('idle'), cwd: sandbox.home });
    await git.until(/Touch your security key/);
    // The browser starts after this message.
    await eventually(() => tabs().length).toBe(1);
    git.type('\x03');
    expect(await git.ended).toBe(130);
    await eventually(sockets).toEqual([]);
    const again = onTerminal(lsRemote(), { env: browser('works'), cwd: sandbox.home });
    expect(await again.ended).toBe(0);
    expect(tabs().length).toBe(2);
  });
});
