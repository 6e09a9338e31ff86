import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LaunchedBrowser, launchBrowser } from '../../browser/launch.ts';
import { answerPaste, answerSignIn, details, paste, requestOptions, routes, session } from '../fixtures.ts';
import { cancelsSlowly } from '../refusals.ts';
import { type Answer, problem, type Site, startSite } from '../site.ts';
import { enrolledCredential, type VisitOptions, visit } from '../visitor.ts';

let site: Site;
let chromium: LaunchedBrowser;

beforeAll(async () => {
  [site, chromium] = await Promise.all([
    startSite(),
    // A host that is not a secure context.
    launchBrowser({ args: ['--host-resolver-rules=MAP insecure.test 127.0.0.1'] }),
  ]);
});
afterAll(() => Promise.all([site?.close(), chromium?.close()]));
beforeEach(() => answerSignIn(site));

const enrolled = { credentials: [enrolledCredential()] };
const open = (options: VisitOptions = {}) => visit(chromium.browser, site, '/login/u1', { key: enrolled, ...options });

describe('signing in', () => {
  test('starts by itself, sends the key’s answer, and goes where the server says', async () => {
    await using visitor = await open();
    await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
    await visitor.page.waitForSelector('h1');
    expect(await visitor.page.evaluate(() => document.body.textContent)).toContain('You’re signed in.');

    expect(routes(site)).toEqual(['GET /login/u1/details', 'POST /login/u1/options', 'POST /login/u1/verify']);
    const assertion = site.calls[2]?.body as { type: string; response: { clientDataJSON: string; signature: string } };
    expect(assertion.type).toBe('public-key');
    expect(assertion.response.signature).not.toBe('');
    const clientData = JSON.parse(Buffer.from(assertion.response.clientDataJSON, 'base64url').toString());
    expect(clientData).toMatchObject({
      type: 'webauthn.get',
      challenge: requestOptions.challenge,
      origin: site.origin,
    });
    expect(visitor.faults).toEqual([]);
  });

  test('goes to the terminal’s own address with the code, which was in the answer to the touch', async () => {
    const asked: string[] = [];
    const terminal = createServer((request, response) => {
      asked.push(String(request.url));
      response.writeHead(303, { location: `${site.origin}/signed-in` }).end();
    });
    await new Promise<void>((resolve) => terminal.listen(0, '127.0.0.1', resolve));
    const { port } = terminal.address() as AddressInfo;
    try {
      const callback = `http://127.0.0.1:${port}/callback?code=c&state=s`;
      site.answer('POST /login/u1/verify', { body: { redirectTo: callback } });
      await using visitor = await open();
      await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
      expect(asked.filter((path) => path.startsWith('/callback'))).toEqual(['/callback?code=c&state=s']);
      expect(visitor.faults).toEqual([`request to ${callback}`]);
    } finally {
      terminal.closeAllConnections();
      terminal.close();
    }
  });

  test('then says who is signed in, until when and where, without a word of it in an address', async () => {
    const visited: string[] = [];
    await using visitor = await open({ key: { ...enrolled, touchesByItself: false } });
    visitor.page.on('request', (request) => void visited.push(request.url()));
    await visitor.status('touching');
    await visitor.key?.setTouchesByItself(true);
    await visitor.page.reload();
    await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
    await visitor.page.waitForSelector('dd');
    const facts = await visitor.page.$$eval('dt, dd', (parts) => parts.map((part) => part.textContent));
    expect(facts).toEqual([
      'As',
      'alice@example.com',
      'Until',
      expect.stringMatching(/^(\d+ \w+, )?\d\d:\d\d, in 8 hours$/),
      'On',
      'alices-laptop',
    ]);
    expect(visited.filter((url) => /alice|example/.test(url))).toEqual([]);
    // The next sign-in of this tab begins with nothing.
    site.answer('POST /login/u1/verify', problem('unknown-key', 403));
    await visitor.page.goto(`${site.origin}/login/u1`);
    await visitor.status('unknown-key');
    await visitor.page.goto(`${site.origin}/signed-in`);
    await visitor.page.waitForSelector('h1');
    expect(await visitor.page.$('dd')).toBeNull();
  });

  test.each([
    [true, '/account?add'],
    [false, '/account'],
  ])('then leads to my account, and advises a spare key when the server says so: %s', async (suggestSpare, last) => {
    site.answer('POST /login/u1/verify', { body: { redirectTo: '/signed-in', session, suggestSpare } });
    await using visitor = await open();
    await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
    await visitor.page.waitForSelector('h1');
    const links = await visitor.page.$$eval('main a', (all) => all.map((link) => link.getAttribute('href')));
    expect(links).toEqual(suggestSpare ? [last, '/account'] : [last]);
    expect(await visitor.page.$('.notice')).toEqual(suggestSpare ? expect.anything() : null);
  });

  test('a terminal that could not finish is believed, and not what the tab remembers', async () => {
    site.answer('POST /login/u1/verify', { body: { redirectTo: '/signed-in?failed', session } });
    await using visitor = await open();
    await visitor.page.waitForFunction(() => location.search === '?failed');
    await visitor.page.waitForSelector('h1');
    const text = await visitor.page.evaluate(() => document.body.textContent);
    expect(text).toContain('Your sign-in did not finish.');
    expect(text).toContain('Your terminal says why.');
    expect(text).not.toContain('alice@example.com');
  });

  test('leaves no way back to the page that is over', async () => {
    await using visitor = await open();
    await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
    // about:blank, and /signed-in in place of the sign-in page.
    expect(await visitor.page.evaluate(() => history.length)).toBe(2);
  });

  test('says who asks, from where, when and to whom, and what to do', async () => {
    await using visitor = await open({ key: { ...enrolled, touchesByItself: false } });
    expect(await visitor.status('touching')).toContain('Touch your security key');
    const text = await visitor.page.evaluate(() => document.body.textContent);
    expect(text).toContain('Vouch command line');
    expect(text).toContain('alices-laptop');
    expect(text).toContain('Your terminal shows amber otter canyon Continue only if it does.');
    expect(text).toMatch(/2 minutes ago, .*at \d\d:\d\d/);
    const host = await visitor.page.$eval('.title-host', (element) => ({
      text: element.textContent,
      size: Number.parseFloat(getComputedStyle(element).fontSize),
    }));
    expect(host.text).toBe(details.host);
    expect(host.size).toBeGreaterThanOrEqual(24);
  });

  test('names no machine when the server knows none', async () => {
    site.answer('GET /login/u1/details', { body: { ...details, machine: null } });
    await using visitor = await open({ key: { ...enrolled, touchesByItself: false } });
    await visitor.status('touching');
    expect(await visitor.page.$$eval('dt', (terms) => terms.map((term) => term.textContent))).toEqual(['From', 'When']);
  });

  test('asks for a press where the browser wants one, and signs in with it', async () => {
    await using visitor = await open({
      before: () => {
        // Not `navigator.userActivation`: it counts what the test driver does in the page.
        let pressed = false;
        addEventListener(
          'click',
          () => {
            pressed = true;
          },
          true,
        );
        const get = navigator.credentials.get.bind(navigator.credentials);
        navigator.credentials.get = (options) =>
          pressed ? get(options) : Promise.reject(new DOMException('A user gesture is required', 'NotAllowedError'));
      },
    });
    expect(await visitor.status('ready')).toContain('press the button');
    await visitor.press();
    await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
    expect(visitor.faults).toEqual([]);
  });

  test('works with the keyboard alone: the focus is on what to press', async () => {
    site.answer('POST /login/u1/verify', problem('unknown-key', 401), { body: { redirectTo: '/signed-in' } });
    await using visitor = await open();
    await visitor.status('unknown-key');
    await visitor.page.waitForSelector('[data-primary]:focus-visible');
    await visitor.page.keyboard.press('Enter');
    await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
  });

  test('where there is nothing to press, the focus is on the words', async () => {
    site.answer('POST /login/u1/verify', problem('other-browser', 403));
    await using visitor = await open();
    await visitor.status('other-browser');
    await visitor.page.waitForSelector('h2.status-title:focus');
  });

  test('a cancel that does not reach the server is said, and so is one that comes too late', async () => {
    site.answer('POST /login/u1/cancel', { cut: true });
    await using visitor = await open({ key: { ...enrolled, touchesByItself: false } });
    await visitor.status('touching');
    await visitor.page.locator('[data-cancel]').click();
    await visitor.status('unreachable');
    site.answer('POST /login/u1/cancel', problem('interaction-over', 410));
    await visitor.page.locator('[data-cancel]').click();
    await visitor.status('interaction-over');
  });

  test('cancels: the browser’s dialog closes, and the terminal learns of it', async () => {
    await using visitor = await open({ key: { ...enrolled, touchesByItself: false } });
    await visitor.status('touching');
    await visitor.page.keyboard.press('Tab');
    expect(await visitor.page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel');
    await visitor.page.keyboard.press('Enter');
    await visitor.page.waitForFunction(() => location.search === '?failed');
    await visitor.page.waitForSelector('h1');
    const text = await visitor.page.evaluate(() => document.body.textContent);
    expect(text).toContain('You cancelled. Nothing happened.');
    expect(text).not.toContain('did not finish');
    expect(routes(site)).toContain('POST /login/u1/cancel');
  });

  test('goes nowhere but to a web page', async () => {
    site.answer('POST /login/u1/verify', { body: { redirectTo: 'javascript:alert(1)' } });
    await using visitor = await open();
    await visitor.status('unexpected');
    expect(visitor.faults).toEqual([]);
  });
});

describe('signing in by paste', () => {
  beforeEach(() => answerPaste(site));
  const waiting = { ...enrolled, touchesByItself: false };

  test('warns before the touch of whoever else may have sent the person here', async () => {
    await using visitor = await open({ key: waiting });
    await visitor.status('touching');
    const notice = await visitor.page.$eval('.notice', (element) => (element as HTMLElement).innerText);
    expect(notice.replace(/\s+/g, ' ')).toContain('Cancel if you did not run vouch login --paste yourself.');
  });

  test('shows the code with the words, goes nowhere, and says what giving it away means', async () => {
    await using visitor = await open();
    expect(await visitor.status('pasting')).toContain('Paste this code');
    const text = (await visitor.page.evaluate(() => document.body.innerText)).replace(/\s+/g, ' ');
    expect(text).toContain(paste);
    expect(text).toContain('into the terminal that shows amber otter canyon and nowhere else.');
    expect(text).toContain('Give this code to nobody. Whoever you read or send it to can work as you all day.');
    expect(text).toMatch(/It works once, and ends at \d\d:\d\d\./);
    expect(new URL(visitor.page.url()).pathname).toBe('/login/u1');
    const kept = await visitor.page.evaluate(() =>
      JSON.stringify([{ ...sessionStorage }, { ...localStorage }, history.state]),
    );
    expect(kept).not.toContain(paste.slice(-43));
    expect(visitor.faults).toEqual([]);
  });

  test('copies it with the keyboard alone', async () => {
    await using visitor = await open({
      before: () => {
        // A browser without a screen has no clipboard.
        navigator.clipboard.writeText = async (text) => void Object.assign(window, { copied: text });
      },
    });
    await visitor.status('pasting');
    await visitor.page.waitForSelector('[data-primary]:focus-visible');
    await visitor.page.keyboard.press('Enter');
    await visitor.page.waitForFunction(() => document.querySelector('[data-primary]')?.textContent === 'Copied');
    expect(await visitor.page.evaluate(() => (window as unknown as { copied: string }).copied)).toBe(paste);
  });

  test('says so where the browser does not copy', async () => {
    await using visitor = await open({
      before: () => {
        navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
      },
    });
    await visitor.status('pasting');
    await visitor.press();
    await visitor.page.waitForFunction(
      () => document.querySelector('[data-primary]')?.textContent === 'Please copy it by hand',
    );
  });

  test('forgets the code when its time is over, and at a reload', async () => {
    answerPaste(site, { seconds: 0 });
    await using visitor = await open();
    expect(await visitor.status('code-over')).toContain('run vouch login --paste again');
    expect(await visitor.page.evaluate(() => document.body.textContent)).not.toContain(paste.slice(-43));
    answerPaste(site);
    await visitor.page.reload();
    await visitor.status('pasting');
    site.answer('GET /login/u1/details', problem('interaction-over', 410));
    await visitor.page.reload();
    await visitor.status('interaction-over');
    expect(await visitor.page.evaluate(() => document.body.textContent)).not.toContain(paste.slice(-43));
  });

  test('cancels: the page stays, and says what to do in the terminal', async () => {
    await using visitor = await open({ key: waiting });
    await visitor.status('touching');
    await visitor.page.keyboard.press('Tab');
    await visitor.page.keyboard.press('Enter');
    expect(await visitor.status('cancelled-paste')).toContain('press Ctrl-C there');
    expect(new URL(visitor.page.url()).pathname).toBe('/login/u1');
  });
});

describe('when the server refuses', () => {
  const refusals: [name: string, answer: Answer, title: string, next: string, again: boolean][] = [
    ['unknown-key', problem('unknown-key', 401), 'This key isn’t enrolled here.', 'it has been removed', true],
    ['interaction-over', problem('interaction-over', 410), 'This sign-in is over.', 'Run vouch login again', false],
    ['challenge-used', problem('challenge-used', 409), 'too late, or was sent twice', 'Try again', true],
    ['pin', problem('user-not-verified', 401), 'could not check that it’s you', 'PIN may be missing or blocked', true],
    ['counter-went-back', problem('counter-went-back', 401), 'may have been copied', 'administrator', false],
    [
      'too-many-requests',
      { ...problem('too-many-requests', 429), headers: { 'retry-after': '30' } },
      'Too many tries',
      'Wait 30 seconds',
      true,
    ],
    ['server-error', { status: 502, body: '<h1>Bad gateway</h1>' }, 'The server has a problem', 'Try again', true],
    ['unreachable', { cut: true }, 'vouch.example.com does not answer.', 'Check your network', true],
    [
      'assertion-refused',
      problem('assertion-refused', 401, { title: 'The signature <b>does not</b> fit', detail: 'Use another key' }),
      'The signature <b>does not</b> fit.',
      'Use another key.',
      true,
    ],
  ];

  test.each(refusals)('%s', async (id, answer, title, next, again) => {
    site.answer('POST /login/u1/verify', answer);
    await using visitor = await open();
    const said = await visitor.status(id);
    expect(said).toContain(title);
    expect(said).toContain(next);
    expect((await visitor.page.$('[data-primary]')) !== null).toBe(again);
    expect(visitor.faults).toEqual([]);
  });

  test('a link that is over is known before any touch, and loading it again can be tried when the network failed', async () => {
    site.answer('GET /login/u1/details', { cut: true });
    await using visitor = await open();
    expect(await visitor.status('unreachable')).toContain('does not answer');
    site.answer('GET /login/u1/details', problem('interaction-over', 410));
    await visitor.press();
    expect(await visitor.status('interaction-over')).toContain('This sign-in is over.');
    expect(await visitor.page.$('[data-primary]')).toBeNull();
  });
});

describe('when the browser or the key refuses', () => {
  test('a person who closed the browser’s dialog is told that nothing happened', async () => {
    await using visitor = await open({ before: cancelsSlowly });
    const said = await visitor.status('cancelled');
    expect(said).toContain('You cancelled. Nothing happened.');
    expect(said).toContain('this key isn’t enrolled here');
    expect(await visitor.page.$('[data-primary]')).not.toBeNull();
    expect(routes(site)).not.toContain('POST /login/u1/cancel');
  });

  test('a key that knows nothing here: said carefully, with help on PINs', async () => {
    await using visitor = await open({ key: {} });
    await visitor.status('ready');
    await visitor.press();
    const said = await visitor.status('stopped');
    expect(said).toContain('The browser stopped before the key answered.');
    expect(said).toContain('isn’t enrolled here');
    expect(await visitor.page.$eval('summary', (element) => element.textContent)).toContain('PIN');
  });

  test('a PIN that is not accepted', async () => {
    await using visitor = await open({ key: { ...enrolled, isUserVerified: false } });
    await visitor.status('ready');
    await visitor.press();
    await visitor.status('stopped');
    await visitor.page.locator('summary').click();
    expect(await visitor.page.$eval('details', (element) => element.open)).toBe(true);
    const help = await visitor.page.$eval('details', (element) => element.innerText.replace(/\s+/g, ' '));
    expect(help).toContain('Blocked for good');
    expect(help).toContain('A key that was reset is a new key, and must be enrolled again.');
    expect(help).toContain(
      'ask your administrator (it-help@example.com) for an invitation made with vouch-server invite EMAIL --replace-keys',
    );
    // Next time the PIN is right.
    await visitor.key?.setUserVerified(true);
    await visitor.press();
    await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
  });

  test('nobody touches the key in time', async () => {
    site.answer('POST /login/u1/options', { body: { ...requestOptions, timeout: 1_500 } });
    await using visitor = await open({ key: { ...enrolled, touchesByItself: false } });
    expect(await visitor.status('timed-out')).toContain('Nobody touched the key in time.');
    expect(await visitor.page.$('[data-primary]')).not.toBeNull();
  });

  test('a browser without WebAuthn', async () => {
    await using visitor = await open({
      key: null,
      before: () => Reflect.deleteProperty(window, 'PublicKeyCredential'),
    });
    expect(await visitor.status('no-webauthn')).toContain('This browser can’t use security keys.');
    expect(routes(site)).toEqual(['GET /login/u1/details']);
  });

  test('a page without HTTPS', async () => {
    await using visitor = await open({ key: null, origin: `http://insecure.test:${site.port}` });
    expect(await visitor.status('insecure')).toContain('Security keys work only over HTTPS.');
  });

  test('an address that is not the key’s', async () => {
    site.answer('POST /login/u1/options', { body: { ...requestOptions, rpId: 'vouch.example.com' } });
    await using visitor = await open();
    expect(await visitor.status('wrong-address')).toContain('isn’t the one that keys are enrolled for');
  });
});
