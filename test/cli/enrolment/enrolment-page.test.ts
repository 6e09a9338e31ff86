import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../../cli/config.ts';
import { invite } from '../../../server/invitations/invite.ts';
import { Browser } from '../../server/browser.ts';
import { addAudit } from '../../server/rows.ts';
import { SoftKey } from '../../server/soft-key.ts';
import {
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  newEmail,
  startServer,
  type TestServer,
} from '../../server/support.ts';
import { onTerminal } from '../../support/terminal.ts';
import { machine, root } from '../support.ts';

const program = join(root, 'cli/vouch/command-line.ts');

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** A page that has opened an enrolment's address. */
class Page {
  readonly #browser = new Browser(server.origin);
  readonly #url: string;
  #path = '';
  #secret = '';
  words = '';

  constructor(url: string) {
    this.#url = url;
  }

  post(step: string, body: unknown = {}): Promise<Response> {
    return this.#browser.post(`${this.#path}/${step}`, body, this.#secret ? { 'vouch-page': this.#secret } : {});
  }

  /** Follows the short address, which opens nothing yet. */
  async find(): Promise<this> {
    const led = await this.#browser.get(new URL(this.#url).pathname);
    this.#path = String(led.headers.get('location'));
    return this;
  }

  async open(): Promise<this> {
    await this.find();
    const { page, words } = await jsonOf<{ page: string; words: string }>(await this.post('open'));
    this.#secret = page;
    this.words = words;
    return this;
  }

  async enrol(): Promise<void> {
    let options: unknown;
    // The terminal's answer may be on the way.
    const ask = async () => {
      const response = await this.post('options');
      options = await response.json();
      return response.status;
    };
    await expect.poll(ask, { timeout: 30_000, interval: 200 }).toBe(200);
    await jsonOf(await this.post('verify', new SoftKey(server.origin).create(options as never)));
  }
}

async function keysOf(email: string): Promise<number> {
  const { store } = server.context;
  const keys = store.selectFrom('keys').innerJoin('people', 'people.id', 'keys.person_id');
  return (await keys.where('people.email', '=', email).select('keys.id').execute()).length;
}

/** `vouch enroll` with a script on its standard input, which has given the code. */
async function scripted(invited?: { email: string; code: string }) {
  const the = machine();
  const { email = newEmail() } = invited ?? {};
  const code = invited?.code ?? (await inviteCode(server, email));
  const args = [program, 'enroll', '--no-browser', '--server', server.origin];
  const child = spawn(process.execPath, args, { env: the.env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  const opened = Promise.withResolvers<Page>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
    const url = /\n {2}(http\S+)\n/.exec(said.stdout)?.[1];
    if (url) opened.resolve(new Page(url));
  });
  const ended = once(child, 'close').then(([status]) => ({ code: status as number, ...said }));
  child.stdin.on('error', () => {});
  child.stdin.write(`${code}\n`);
  return { the, email, code, ended, page: opened.promise, type: (text: string) => child.stdin.write(text), child };
}

describe('a script', () => {
  test('gives the words that the page shows, and the key is enrolled', async () => {
    const { the, email, ended, page, type } = await scripted();
    const opened = await (await page).open();
    type(`${opened.words}\n`);
    await opened.enrol();
    expect(await ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Enrolled "Security key" for ${email}.`),
    });
    expect(await keysOf(email)).toBe(1);
    expect(readConfig(the.env)).toEqual({ server: server.origin, people: { [server.origin]: email } });
  });

  test('that replaces keys is told which, and what outlasts them', async () => {
    const { email, key: old } = await enrolPerson(server);
    const { store } = server.context;
    const issued = {
      event: 'aws-token-issued',
      actor: email,
      subject: email,
      detail: { role: 'a', jti: 'b' },
    } as const;
    await addAudit(store, Date.now(), issued);
    const { code } = await invite(store, Date.now(), { email, replaceKeys: true }, { actor: 'cli:root' });
    const { ended, page, type } = await scripted({ email, code });
    const opened = await (await page).open();
    type(`${opened.words}\n`);
    await opened.enrol();
    const { code: status, stdout } = await ended;
    expect(status).toBe(0);
    expect(stdout).toContain('\nThis replaces your key: "Security key" stops working, and your sessions end.\n');
    expect(stdout).toMatch(
      /\nAWS credentials issued before .* last until .*\d\d:\d\d at the latest\.\nEnrolled "Security key 2"/,
    );
    const kept = store.selectFrom('keys').where('id', '=', old.id).select('removed_at');
    expect(await kept.executeTakeFirst()).toEqual({ removed_at: expect.any(Number) });
  });

  test.each(['y', 'yes', 'amber otter canyon'])('that says %j has not looked, and no key is enrolled', async (line) => {
    const { email, code, ended, page, type } = await scripted();
    const opened = await (await page).open();
    type(`${line}\n`);
    const result = await ended;
    expect(result).toMatchObject({ code: 5, stderr: expect.stringContaining('the page that was opened is not yours') });
    // The person can see the words on the page alone.
    expect(result.stdout + result.stderr).not.toContain(opened.words);
    await expectProblem(await opened.post('options'), 410, 'interaction-over');
    expect(await keysOf(email)).toBe(0);
    // The invitation is still good.
    await jsonOf(await new Browser(server.origin).post('/enroll/start', { invitation: code }));
  });

  test('that gives nothing more enrols no key', async () => {
    const { email, ended, page, child } = await scripted();
    const opened = await (await page).open();
    child.stdin.end();
    expect(await ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the words that the page shows were not given'),
    });
    await expectProblem(await opened.post('options'), 410, 'interaction-over');
    expect(await keysOf(email)).toBe(0);
  });
});

describe('a person at the terminal', () => {
  async function typed() {
    const the = machine();
    const email = newEmail();
    const code = await inviteCode(server, email);
    const command = `exec '${process.execPath}' '${program}' enroll --no-browser --server ${server.origin}`;
    const terminal = onTerminal(command, { env: the.env });
    await terminal.until(/Invitation code[^\n]*: /);
    terminal.type(`${code}\r`);
    const [, url = ''] = await terminal.until(/\n {2}(http\S+)\n/);
    return { the, email, code, terminal, url };
  }

  test('is asked for the words of the page, says yes, and the page goes on', async () => {
    const { email, terminal, url } = await typed();
    const page = await new Page(url).open();
    await terminal.until(new RegExp(`Does the page show "${page.words}"\\? \\[y/N\\] `));
    await expectProblem(await page.post('options'), 403, 'approval-needed');
    terminal.type('perhaps\r');
    await terminal.until(/perhaps[\s\S]*Does the page show/);
    terminal.type('y\r');
    await page.enrol();
    expect(await terminal.ended).toBe(0);
    expect(terminal.said()).toContain(`Enrolled "Security key" for ${email}.`);
  });

  test('is walked from nothing to a key by `vouch setup`, which goes on with what is missing', async () => {
    const the = machine();
    const email = newEmail();
    const code = await inviteCode(server, email);
    const walk = onTerminal(`exec '${process.execPath}' '${program}' setup --no-browser`, { env: the.env });
    await walk.until(/Address of your Vouch server[\s\S]*: $/);
    walk.type(`${server.origin}\r`);
    await walk.until(/Is your key enrolled already, from another machine\? \[y\/N\] $/);
    walk.type('\r');
    await walk.until(/Invitation code[^\n]*: $/);
    walk.type(`${code}\r`);
    const [, url = ''] = await walk.until(/\n {2}(http\S+)\n/);
    const page = await new Page(url).open();
    await walk.until(/Does the page show "[^"]*"\? \[y\/N\] $/);
    walk.type('y\r');
    await page.enrol();
    await walk.until(/Add a profile for your AWS role\? \[Y\/n\] $/);
    expect(walk.said()).toContain(`Enrolled "Security key" for ${email}\n`);
    walk.type('\x03');
    expect(await walk.ended).toBe(130);
    expect(readConfig(the.env)).toEqual({ server: server.origin, people: { [server.origin]: email } });
  });

  test.each([
    ['no', 'n\r'],
    ['nothing', '\r'],
    ['no more (Ctrl-D)', '\x04'],
  ])('answers %s when somebody else was quicker: that page enrols no key', async (_what, keys) => {
    const { email, code, terminal, url } = await typed();
    const his = await new Page(url).open();
    // Her own browser is told.
    await expectProblem(await (await new Page(url).find()).post('open'), 403, 'other-browser');
    await terminal.until(/Does the page show "[^"]*"\? \[y\/N\] /);
    terminal.type(keys);
    expect(await terminal.ended).toBe(5);
    expect(terminal.said()).toContain('Your invitation is still good: run `vouch enroll` again.');
    await expectProblem(await his.post('options'), 410, 'interaction-over');
    expect(await keysOf(email)).toBe(0);
    await jsonOf(await new Browser(server.origin).post('/enroll/start', { invitation: code }));
  });

  test('learns that the person cancelled on the page, before the question is answered and after', async () => {
    const first = await typed();
    const page = await new Page(first.url).open();
    await first.terminal.until(/Does the page show/);
    await page.post('cancel');
    first.terminal.type('y\r');
    expect(await first.terminal.ended).toBe(5);
    const second = await typed();
    const other = await new Page(second.url).open();
    await second.terminal.until(/Does the page show/);
    second.terminal.type('y\r');
    await second.terminal.until(/Follow the browser/);
    await other.post('cancel');
    expect(await second.terminal.ended).toBe(5);
    for (const { terminal, email } of [first, second]) {
      expect(terminal.said()).toContain('The enrolment was cancelled in the browser.');
      expect(terminal.said()).toContain('Run `vouch enroll` to start again.');
      expect(await keysOf(email)).toBe(0);
    }
  });

  test('gives it up with Ctrl-C while the question stands: no key is taken', async () => {
    const { email, terminal, url } = await typed();
    const page = await new Page(url).open();
    await terminal.until(/Does the page show/);
    terminal.type('\x03');
    expect(await terminal.ended).toBe(130);
    await expectProblem(await page.post('options'), 403, 'approval-needed');
    expect(await keysOf(email)).toBe(0);
  });
});
