import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LaunchedBrowser, launchBrowser } from '../../browser/launch.ts';
import { routes } from '../fixtures.ts';
import { problem, type Site, startSite } from '../site.ts';
import { enrolledCredential, type Visit, type VisitOptions, visit } from '../visitor.ts';
import { account, answerAccount, show } from './fixtures.ts';
import { open, pressButton } from './states.ts';

let site: Site;
let chromium: LaunchedBrowser;

beforeAll(async () => {
  [site, chromium] = await Promise.all([startSite(), launchBrowser()]);
});
afterAll(() => Promise.all([site?.close(), chromium?.close()]));
beforeEach(() => answerAccount(site));

const visitAccount = (path = '/account', options: VisitOptions = {}) =>
  visit(chromium.browser, site, path, { key: { credentials: [enrolledCredential()] }, ...options });

/** The ID or the text of the element that has the focus. */
const focused = ({ page }: Visit) =>
  page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || '');

const waitForFocus = ({ page }: Visit, id: string) =>
  page.waitForFunction((wanted) => document.activeElement?.id === wanted, {}, id);

/** Waits until these words have the focus, so that a screen reader reads them. */
const waitForFocusOn = ({ page }: Visit, words: string) =>
  page.waitForFunction((wanted) => document.activeElement?.textContent === wanted, {}, words);

/** Waits until the page says this about what was done. */
const said = ({ page }: Visit, words: string) =>
  page.waitForFunction((wanted) => document.getElementById('said')?.textContent?.includes(wanted), {}, words);

const textOf = ({ page }: Visit) => page.evaluate(() => document.body.innerText);

/** Lets the page's clock run ahead. */
const passMinutes = ({ page }: Visit, minutes: number) =>
  page.evaluate((milliseconds) => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + milliseconds;
    document.dispatchEvent(new Event('visibilitychange'));
  }, minutes * 60_000);

describe('signing in', () => {
  test('takes a press and a touch; then every call carries the page’s secret, and is kept over a reload', async () => {
    await using visitor = await visitAccount();
    await visitor.status('ready');
    expect(site.calls).toEqual([]);
    await open(visitor);
    expect(routes(site).slice(0, 2)).toEqual(['POST /account/sign-in/options', 'POST /account/sign-in/verify']);
    expect(site.calls.slice(0, 2).map(({ page }) => page)).toEqual([undefined, undefined]);
    expect(new Set(site.calls.slice(2).map(({ page }) => page))).toEqual(new Set(['secret-1']));
    await visitor.page.reload();
    await visitor.page.waitForSelector('.views');
    expect(visitor.faults).toEqual([]);
  });

  test('is asked for again after a reload whose session is over', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    site.answer('GET /account/me', problem('web-session-over', 401));
    await visitor.page.reload();
    expect(await visitor.status('over')).toContain('You are signed out.');
    await answerAccount(site);
    await visitor.press();
    await visitor.page.waitForSelector('.views');
  });

  test('says what went wrong, and can be tried again', async () => {
    site.answer('POST /account/sign-in/verify', problem('unknown-key', 403), { body: { page: 'secret-1' } });
    await using visitor = await visitAccount();
    await visitor.status('ready');
    await visitor.press();
    expect(await visitor.status('unknown-key')).toContain('This key isn’t enrolled here.');
    await visitor.press();
    await visitor.page.waitForSelector('.views');
  });

  test('says so when the browser keeps no cookie', async () => {
    site.answer('GET /account/me', problem('web-session-over', 401));
    await using visitor = await visitAccount();
    await visitor.status('ready');
    await visitor.press();
    expect(await visitor.status('no-cookie')).toContain('Allow cookies for this site');
    answerAccount(site);
    await visitor.press();
    await visitor.page.waitForSelector('.views');
  });

  test('works with the keyboard alone', async () => {
    await using visitor = await visitAccount();
    await visitor.status('ready');
    const { keyboard } = visitor.page;
    await keyboard.press('Enter');
    await visitor.page.waitForSelector('.views');
    const reach = async (words: string) => {
      for (let presses = 0; presses < 20; presses += 1) {
        await keyboard.press('Tab');
        if ((await focused(visitor)).includes(words)) return;
      }
      throw new Error(`the keyboard does not reach ${words}`);
    };
    await reach('History');
    await keyboard.press('Enter');
    await reach('not-me');
    await keyboard.press('Enter');
    await visitor.status('asking');
    await waitForFocusOn(visitor, 'Was that not you?');
    await reach('Cancel');
    await keyboard.press('Enter');
    await waitForFocus(visitor, 'not-me');
  });
});

describe('the session ends', () => {
  test('after 15 minutes without a request, calmly, and the server learns it', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    await passMinutes(visitor, 14);
    await pressButton(visitor, 'Sessions');
    expect(await visitor.page.$('.views')).not.toBeNull();
    await passMinutes(visitor, 1);
    const words = await visitor.status('idle');
    expect(words).toContain('You were signed out after 15 minutes.');
    expect(routes(site).at(-1)).toBe('POST /account/sign-out');
    expect(await textOf(visitor)).not.toContain('alice@example.com');
    await visitor.page.reload();
    await visitor.status('ready');
  });

  test('when the server says so, in the middle of a change', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    site.answer('DELETE /account/keys/b2', problem('web-session-over', 401));
    await pressButton(visitor, 'Remove “In the drawer”');
    await pressButton(visitor, 'Remove the key');
    await visitor.status('over');
    await visitor.press();
    await visitor.page.waitForSelector('.views');
  });

  test('when the person signs out; signing in again waits for the server’s answer, which takes the cookie back', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    const { promise, resolve } = Promise.withResolvers<void>();
    site.answer('POST /account/sign-out', { status: 204, after: promise });
    await pressButton(visitor, 'Sign out');
    await visitor.status('signed-out');
    const before = site.calls.length;
    await visitor.press();
    await visitor.status('touching');
    // A request of the sign-in would have come before this one.
    await visitor.page.evaluate(() => fetch('/account/nothing'));
    expect(routes(site).slice(before)).toEqual(['GET /account/nothing']);
    resolve();
    await visitor.page.waitForSelector('.views');
    await visitor.page.reload();
    await visitor.page.waitForSelector('.views');
  });

  test('when the person signs out, even if the server does not answer', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    site.answer('POST /account/sign-out', { cut: true });
    await pressButton(visitor, 'Sign out');
    await visitor.status('signed-out');
    await visitor.page.reload();
    await visitor.status('ready');
  });
});

describe('keys', () => {
  test('are listed with what tells them apart; the only one cannot be removed, and the page advises a spare', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    const text = await textOf(visitor);
    expect(text).toMatch(/Work key\s+YubiKey 5C NFC\s+Added on .*, used just now on this page/);
    expect(text).toMatch(/In the drawer\s+Added on .*, not used yet/);
    expect(text).not.toContain('only key');

    answerAccount(site, { ...account, keys: account.keys.slice(0, 1) });
    await visitor.page.reload();
    await visitor.page.waitForSelector('.notice');
    expect(await textOf(visitor)).toContain('This is your only key.');
    expect(await textOf(visitor)).not.toContain('Remove');
    await pressButton(visitor, 'Add a spare key');
  });

  test('show a picture of the model; one that is not accepted any more says so, and can go', async () => {
    const [work, drawer] = account.keys;
    if (!work || !drawer) throw new Error('no keys');
    answerAccount(site, {
      ...account,
      keys: [
        { ...work, icon: '/key-icons/a1' },
        { ...drawer, counts: false },
      ],
    });
    await using visitor = await visitAccount();
    await open(visitor);
    expect(await visitor.page.$$eval('.key-icon', (all) => all.map((icon) => icon.getAttribute('src')))).toEqual([
      '/key-icons/a1',
    ]);
    const text = await textOf(visitor);
    expect(text).toContain('This is your only key that is accepted here.');
    expect(text).toMatch(/In the drawer\s+Added .*\s+Not accepted here any more: it does not sign you in/);
    expect(await visitor.page.$$eval('[id^=remove-]', (all) => all.map(({ id }) => id))).toEqual(['remove-b2']);
  });

  test('are renamed in place, and the focus comes back', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    await pressButton(visitor, 'Rename “Work key”');
    await waitForFocus(visitor, 'name-a1');
    const [work, ...others] = account.keys;
    if (work === undefined) throw new Error('no key');
    show(site, { ...account, keys: [{ ...work, name: 'Blue one' }, ...others] });
    await visitor.page.keyboard.type('Blue one');
    await visitor.page.keyboard.press('Enter');
    await said(visitor, 'Renamed “Work key” to “Blue one”.');
    expect(site.calls.find(({ route }) => route === 'PATCH /account/keys/a1')?.body).toEqual({ name: 'Blue one' });
    await waitForFocus(visitor, 'rename-a1');
    expect(await textOf(visitor)).not.toMatch(/^Work key$/m);
  });

  test('are not renamed to nothing, nor to the name of another', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    await pressButton(visitor, 'Rename “Work key”');
    await waitForFocus(visitor, 'name-a1');
    await visitor.page.keyboard.press('Backspace');
    await visitor.page.keyboard.press('Enter');
    await visitor.page.waitForFunction(() => document.body.innerText.includes('Enter a name first.'));
    expect(routes(site)).not.toContain('PATCH /account/keys/a1');
    const words = { title: 'Another of your keys has this name', detail: 'Choose a name that none of your keys has' };
    site.answer('PATCH /account/keys/a1', problem('name-taken', 409, words));
    await visitor.page.keyboard.type('In the drawer');
    await visitor.page.keyboard.press('Enter');
    await visitor.page.waitForFunction(() => document.body.innerText.includes('Another of your keys has this name.'));
    expect(await visitor.page.$eval('.field', (field) => field.getAttribute('aria-invalid'))).toBe('true');
    await pressButton(visitor, 'Cancel');
    await waitForFocus(visitor, 'rename-a1');
  });

  test('are removed after a question; “Cancel” changes nothing', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    await pressButton(visitor, 'Remove “In the drawer”');
    expect(await visitor.status('asking')).toContain('Remove “In the drawer”?');
    // The question is read, and nothing dangerous has the focus.
    await waitForFocusOn(visitor, 'Remove “In the drawer”?');
    await pressButton(visitor, 'Cancel');
    await waitForFocus(visitor, 'remove-b2');
    expect(routes(site).filter((route) => route.startsWith('DELETE'))).toEqual([]);

    await pressButton(visitor, 'Remove “In the drawer”');
    show(site, { ...account, keys: account.keys.slice(0, 1) });
    await pressButton(visitor, 'Remove the key');
    await said(visitor, 'Removed “In the drawer” and ended 1 session. AWS credentials');
    await waitForFocus(visitor, 'said');
    expect(await textOf(visitor)).toContain('This is your only key.');
  });

  test('are removed after another touch if the server wants one', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    site.answer('DELETE /account/keys/b2', problem('touch-needed', 403), {
      body: { sessions: 0, signedOut: false, awsCredentialsUntil: null },
    });
    await pressButton(visitor, 'Remove “In the drawer”');
    await pressButton(visitor, 'Remove the key');
    await said(visitor, 'Removed “In the drawer”.');
    const changes = site.calls.filter(({ route }) => /^(DELETE|POST .*touch)/.test(route));
    expect(changes.map(({ route, page }) => [route, page])).toEqual([
      ['DELETE /account/keys/b2', 'secret-1'],
      ['POST /account/touch/options', 'secret-1'],
      ['POST /account/touch/verify', 'secret-1'],
      ['DELETE /account/keys/b2', 'secret-2'],
    ]);
  });

  test('stay when the touch is refused, and the page says why', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    site.answer('DELETE /account/keys/b2', problem('touch-needed', 403));
    site.answer('POST /account/touch/verify', problem('unknown-key', 403));
    await pressButton(visitor, 'Remove “In the drawer”');
    await pressButton(visitor, 'Remove the key');
    expect(await visitor.status('unknown-key')).toContain('You have not enrolled this key.');
    answerAccount(site);
    await pressButton(visitor, 'Try again');
    await said(visitor, 'Removed “In the drawer”');
    expect(routes(site)).toContain('POST /account/touch/verify');
  });

  test('the one that this page signed in with takes the page’s session with it', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    site.answer('DELETE /account/keys/a1', { body: { sessions: 1, signedOut: true, awsCredentialsUntil: null } });
    await pressButton(visitor, 'Remove “Work key”');
    expect(await visitor.status('asking')).toContain('this page’s too');
    await pressButton(visitor, 'Remove the key');
    await visitor.status('signed-out');
  });
});

describe('adding a key', () => {
  test('right after signing in takes only the new key', async () => {
    await using visitor = await visitAccount('/account', { key: { credentials: [enrolledCredential()] } });
    await open(visitor);
    await pressButton(visitor, 'Add a key');
    await waitForFocus(visitor, 'new-key');
    await visitor.page.keyboard.type(' 2');
    await pressButton(visitor, 'Continue');
    await said(visitor, 'Added “Spare key”. It signs you in from now on.');
    const added = site.calls.find(({ route }) => route === 'POST /account/keys/verify');
    expect(added).toMatchObject({ page: 'secret-1', body: { name: 'Spare key 2', type: 'public-key' } });
    expect(routes(site)).not.toContain('POST /account/touch/options');
    await waitForFocus(visitor, 'add-key');
  });

  test('later takes a key that the person has, then a press, then the new key', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    await visitor.page.reload();
    await visitor.page.waitForSelector('.views');
    await pressButton(visitor, 'Add a key');
    await pressButton(visitor, 'Continue');
    expect(await visitor.status('ready')).toContain('Step 2 of 2');
    expect(routes(site)).not.toContain('POST /account/keys/options');
    await visitor.press();
    await said(visitor, 'Added “Spare key”');
  });

  test('asks for the other key first when the server says that the touch is too old', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    site.answer('POST /account/keys/options', problem('touch-needed', 403));
    await pressButton(visitor, 'Add a key');
    await pressButton(visitor, 'Continue');
    await visitor.status('ready');
    answerAccount(site);
    await visitor.press();
    await said(visitor, 'Added “Spare key”');
  });

  test('is where /account?add begins, once', async () => {
    await using visitor = await visitAccount('/account?add');
    await visitor.status('ready');
    await visitor.press();
    await waitForFocus(visitor, 'new-key');
    expect(visitor.page.url()).toBe(`${site.origin}/account`);
    // Anybody can lead somebody here: without a press nothing is asked for, and nothing is added.
    expect(
      routes(site)
        .filter((route) => !route.startsWith('GET '))
        .filter((route) => !route.includes('sign-in')),
    ).toEqual([]);
    await pressButton(visitor, 'Cancel');
    await visitor.page.waitForSelector('.views');
  });

  test('proposes the name that the terminal asks for, cut to what a name may have', async () => {
    await using visitor = await visitAccount(
      `/account?add&name=${encodeURIComponent(`In the “drawer” ${'x'.repeat(40)}`)}`,
    );
    await visitor.status('ready');
    await visitor.press();
    await waitForFocus(visitor, 'new-key');
    const field = await visitor.page.$eval('#new-key', (input) => (input as HTMLInputElement).value);
    expect(field).toBe(`In the “drawer” ${'x'.repeat(24)}`);
  });

  test('says in the server’s words why a key is not accepted', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    const words = { title: 'Keys of this model are not accepted here', detail: 'Use a YubiKey 5 or newer' };
    site.answer('POST /account/keys/verify', problem('key-refused', 403, words));
    await pressButton(visitor, 'Add a key');
    await pressButton(visitor, 'Continue');
    expect(await visitor.status('enrol-key-refused')).toContain(`${words.title}.`);
    await pressButton(visitor, 'Cancel');
    await waitForFocus(visitor, 'add-key');
  });

  test('wants a name', async () => {
    await using visitor = await visitAccount();
    await open(visitor);
    await pressButton(visitor, 'Add a key');
    await waitForFocus(visitor, 'new-key');
    await visitor.page.$eval('#new-key', (field) => (field as HTMLInputElement).select());
    await visitor.page.keyboard.press('Backspace');
    await visitor.page.keyboard.press('Enter');
    await visitor.page.waitForFunction(() => document.body.innerText.includes('Enter a name first.'));
    await waitForFocus(visitor, 'new-key');
  });
});

describe('sessions', () => {
  test('are listed with machine, since, end and role, and end after a question', async () => {
    await using visitor = await visitAccount();
    await open(visitor, 'Sessions');
    const text = await textOf(visitor);
    expect(text).toMatch(/alices-laptop\s+Signed in 2 hours ago with “Work key”, until .*, in 6 hours/);
    expect(text).toContain('Last role: VouchDeveloper in 123456789012');
    expect(text).toMatch(/A terminal\s+.*\s+No AWS role used yet/);
    expect(text).toMatch(/This page\s+My account in Chrome on Linux, last touch just now, from 192.0.2.7/);

    show(site, { ...account, sessions: account.sessions.slice(1) });
    await pressButton(visitor, 'End the session on alices-laptop');
    expect(await visitor.status('asking')).toContain('End the session on alices-laptop?');
    await pressButton(visitor, 'End the session');
    await said(visitor, 'Ended the session on alices-laptop.');
    expect(await visitor.page.$eval('.view[aria-current=page]', (view) => view.textContent)).toBe('Sessions');
  });

  test('all but this page’s end together', async () => {
    await using visitor = await visitAccount();
    await open(visitor, 'Sessions');
    await pressButton(visitor, 'End all 2 others');
    await pressButton(visitor, 'End them');
    await said(visitor, 'Ended all other sessions.');
    expect(routes(site)).toContain('DELETE /account/sessions');
  });

  test('one that has already ended is reported in the server’s words', async () => {
    await using visitor = await visitAccount();
    await open(visitor, 'Sessions');
    const words = { title: 'You have no such session', detail: 'It may be over' };
    site.answer('DELETE /account/sessions/s1', problem('not-found', 404, words));
    await pressButton(visitor, 'End the session on alices-laptop');
    await pressButton(visitor, 'End the session');
    expect(await visitor.status('not-found')).toContain('You have no such session.It may be over.');
  });
});

describe('the history', () => {
  test('is in sentences, and goes on with a press', async () => {
    const [first] = account.history.events;
    await using visitor = await visitAccount();
    await open(visitor, 'History');
    const text = await textOf(visitor);
    expect(text).toContain('You signed in on alices-laptop with “Work key”.');
    expect(text).toContain('An administrator ended the session on old-laptop.');
    const older = { ...first, id: 3, event: 'invited', by: 'administrator' };
    site.answer('GET /account/history', { body: { events: [older], before: null } });
    await pressButton(visitor, 'Show older');
    await waitForFocus(visitor, 'event-3');
    expect(await textOf(visitor)).toContain('An administrator invited you.');
    expect(await textOf(visitor)).not.toContain('Show older');
  });
});

test('“This was not me” ends everything, and says what to do next', async () => {
  await using visitor = await visitAccount();
  await open(visitor, 'History');
  await pressButton(visitor, 'This was not me');
  expect(await visitor.status('asking')).toContain('This ends all your sessions at once');
  await pressButton(visitor, 'End everything');
  await visitor.page.waitForSelector('.steps');
  const text = await textOf(visitor);
  expect(text).toMatch(/AWS credentials that were issued before may work until .*\. Your administrator can end them/);
  expect(text).toContain('Tell your administrator (it-help@example.com) what you saw.');
  await visitor.press();
  await visitor.page.waitForSelector('.views');
  expect(routes(site).filter((route) => route === 'POST /account/not-me')).toHaveLength(1);
});
