import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type LaunchedBrowser, launchBrowser } from '../browser/launch.ts';
import { addSecurityKey } from '../browser/security-key.ts';
import { type Machine, machine, root } from '../cli/support.ts';
import { inviteCode, startServer, type TestServer } from '../server/support.ts';
import { onTerminal, type Terminal } from '../support/terminal.ts';

const program = join(root, 'cli/vouch/command-line.ts');
const EMAIL = 'alice@example.com';

let server: TestServer;
let launched: LaunchedBrowser;
let page: Page;

beforeAll(async () => {
  [server, launched] = await Promise.all([startServer({ VOUCH_ALLOW_PASTE: 'true' }), launchBrowser()]);
  page = await launched.browser.newPage();
  await addSecurityKey(page);
  await page.goto(`${server.origin}/enroll`);
  await page.type('input', await inviteCode(server, EMAIL));
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=status][data-status="done"]');
});
afterAll(async () => {
  await launched?.close();
  await server?.close();
});

/** A developer's machine, whose agent ends with the test. */
function developer(): Machine {
  const the = machine();
  onTestFinished(() => run(the, ['agent', 'stop']).then(() => {}));
  return the;
}

const login = () => `'${process.execPath}' '${program}' login --paste --server ${server.origin}`;

/** Starts a sign-in by paste on a terminal. @returns it, with the address and the words that it prints */
async function start(the: Machine, before = ''): Promise<Terminal & { address: string; words: string }> {
  const terminal = onTerminal(`${before}${login()}`, { env: { ...the.env, COLUMNS: '40' } });
  const [, address = ''] = await terminal.until(/To sign in, open\n {2}(http\S+)\n/);
  const [, words = ''] = await terminal.until(/only if the page shows: ([a-z ]+)\n/);
  await terminal.until(/Code \(it is not shown\): /);
  return { ...terminal, address, words };
}

/** Opens an address in the browser, which touches the key. @returns what the page shows to be pasted */
async function shownAt(address: string): Promise<string> {
  await page.goto(address);
  const code = await page.waitForSelector('.paste-code');
  return (await code?.evaluate((element) => element.textContent)) ?? '';
}

async function run(the: Machine, args: string[], input?: string) {
  const child = spawn(process.execPath, [program, ...args], { env: the.env });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  child.stdin.on('error', () => {});
  if (input !== undefined) child.stdin.write(input);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, ...said }));
  return input === undefined ? ended.finally(() => child.stdin.end()) : ended;
}

describe('vouch login --paste', () => {
  test('signs in with the code of a page that cannot come back, which no address and no terminal shows', async () => {
    const the = developer();
    const visited: string[] = [];
    page.on('request', (request) => void visited.push(request.url()));
    const terminal = await start(the);
    expect(terminal.address).toMatch(/\/s\/[0-9a-z]{5}-[0-9a-z]{5}$/);
    const shown = await shownAt(terminal.address);
    const text = await page.evaluate(() => document.body.innerText);
    expect(text).toContain(terminal.words);
    expect(text).toContain('Give this code to nobody.');
    // As a terminal sends what is pasted from a window that has wrapped it.
    terminal.type(`\x1b[200~  ${shown.slice(0, 30)}\r${shown.slice(30)}\r\x1b[201~`);
    terminal.type('\r');
    expect(await terminal.ended).toBe(0);
    expect(terminal.said()).toMatch(new RegExp(`Signed in as ${EMAIL} with "Security key" until`));
    const code = shown.slice(-43);
    expect(terminal.said()).not.toContain(code.slice(0, 8));
    expect(visited.filter((url) => url.includes(code) || url.includes('code='))).toEqual([]);
    expect(page.url()).not.toContain(code);
    expect(JSON.parse((await run(the, ['status', '--json'])).stdout).session.email).toBe(EMAIL);
    const { detail } = await server.context.store
      .selectFrom('audit')
      .where('event', '=', 'signed-in')
      .orderBy('id', 'desc')
      .select('detail')
      .executeTakeFirstOrThrow();
    expect(JSON.parse(detail)).toEqual({ paste: true });
  });

  test('says what is wrong with what was pasted, does not show it, and takes the code afterwards', async () => {
    const terminal = await start(developer());
    terminal.type('correct horse battery staple\r');
    await terminal.until(/This is not the code that the page shows\./);
    const other = await start(developer());
    const others = await shownAt(other.address);
    terminal.type(`${others}\r`);
    await terminal.until(/This is the code of another sign-in\./);
    terminal.type(`${await shownAt(terminal.address)}\r`);
    expect(await terminal.ended).toBe(0);
    expect(terminal.said()).not.toMatch(/battery|staple/);
    // Her own code is still good there.
    other.type(`${others}\r`);
    expect(await other.ended).toBe(0);
  });

  test.each([
    ['Ctrl-C', '\x03', 130],
    ['Ctrl-D', '\x04', 2],
  ])('ends at %s, and gives the terminal back as it was', async (_name, keys, status) => {
    const terminal = onTerminal(`${login()}; echo "status $?"; stty -a`, { env: developer().env });
    await terminal.until(/Code \(it is not shown\): /);
    terminal.type(keys);
    expect(await terminal.ended).toBe(0);
    expect(terminal.said()).toContain(`status ${status}\n`);
    expect(terminal.said()).toMatch(/ icanon .*[\s\S]* echo /);
  });

  test('takes the code from standard input where there is no terminal, and ends with a wrong one', async () => {
    const the = developer();
    const child = spawn(process.execPath, [program, 'login', '--paste', '--json', '--server', server.origin], {
      env: the.env,
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const said = { stdout: '', stderr: '' };
    const asked = Promise.withResolvers<string>();
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text;
      const [, address] = /\n {2}(http\S+)\n[\s\S]*standard input …\n/.exec(said.stderr) ?? [];
      if (address !== undefined) asked.resolve(address);
    });
    const ended = once(child, 'close');
    child.stdin.write(`${await shownAt(await asked.promise)}\n`);
    expect((await ended)[0]).toBe(0);
    expect(JSON.parse(said.stdout)).toMatchObject({ email: EMAIL });

    const wrong = await run(developer(), ['login', '--paste', '--server', server.origin], 'hunter2\n');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('This is not the code') });
    expect(wrong.stderr).not.toContain('hunter2');
    const none = spawn(process.execPath, [program, 'login', '--paste', '--server', server.origin], {
      env: developer().env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    expect((await once(none, 'close'))[0]).toBe(2);
  });

  test('tells whom to ask where the server does not allow it, and does not go with --port', async () => {
    const strict = await startServer({ VOUCH_CONTACT: 'it-help@example.com' });
    try {
      const refused = await run(developer(), ['login', '--paste', '--server', strict.origin]);
      expect(refused).toMatchObject({ code: 5, stdout: '' });
      expect(refused.stderr).toContain('does not allow signing in with a pasted code.');
      expect(refused.stderr).toContain('your administrator (it-help@example.com)');
    } finally {
      await strict.close();
    }
    expect((await run(machine(), ['login', '--paste', '--port', '8765'])).code).toBe(2);
  });
});
