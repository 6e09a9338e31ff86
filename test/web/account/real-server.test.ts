import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LaunchedBrowser, launchBrowser } from '../../browser/launch.ts';
import { addSecurityKey, type SecurityKey } from '../../browser/security-key.ts';
import { startUnderTest } from '../../server/pair.ts';
import { inviteCode, newEmail, type TestServer } from '../../server/support.ts';

let server: TestServer;
let chromium: LaunchedBrowser;

beforeAll(async () => {
  [server, chromium] = await Promise.all([startUnderTest(), launchBrowser()]);
});
afterAll(() => Promise.all([server?.close(), chromium?.close()]));

const press = (page: Page, name: string) => page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
const status = (page: Page, id: string) => page.waitForSelector(`[role=status][data-status="${id}"]`);
const shows = (page: Page, words: string) =>
  page.waitForFunction((wanted) => document.body.innerText.includes(wanted), {}, words);

/** Enrols a person with a security key, in a tab of their own browser. */
async function enrol(): Promise<{ email: string; page: Page; key: SecurityKey }> {
  const email = newEmail();
  const context = await chromium.browser.createBrowserContext();
  const page = await context.newPage();
  const key = await addSecurityKey(page);
  await page.goto(`${server.origin}/enroll`);
  await page.locator('#invitation').fill(await inviteCode(server, email));
  await page.keyboard.press('Enter');
  await status(page, 'done');
  return { email, page, key };
}

/** Opens my account, and signs in with the key that is plugged in. */
async function open(page: Page, path = '/account'): Promise<void> {
  await page.goto(server.origin + path);
  await status(page, 'ready');
  await page.locator('[data-primary]').click();
}

const auditOf = async (email: string) =>
  (
    await server.context.store
      .selectFrom('audit')
      .where('subject', '=', email)
      .orderBy('id')
      .select(['event', 'reason'])
      .execute()
  ).map(({ event, reason }) => (reason === null ? event : `${event}: ${reason}`));

/** Everything together: the server, the built page, a real browser and virtual keys. */
describe('my account, for real', () => {
  test('a spare key, a new name, the first key gone, and “This was not me”', async () => {
    const { email, page, key: first } = await enrol();
    await open(page, '/account?add');
    const [old] = await first.credentials();
    await page.waitForSelector('#new-key');
    await first.remove();
    const spare = await addSecurityKey(page);
    await page.locator('#new-key').fill('In the drawer');
    await press(page, 'Continue');
    await shows(page, 'Added “In the drawer”');

    await press(page, 'Rename “In the drawer”');
    await page.locator('.field').fill('On my keyring');
    await press(page, 'Save');
    await shows(page, 'Renamed “In the drawer” to “On my keyring”.');

    // The key that this page signed in with: its session, here, ends with it.
    await press(page, 'Remove “Security key”');
    await press(page, 'Remove the key');
    await status(page, 'signed-out');
    expect(await page.browserContext().cookies()).toEqual([]);

    await page.locator('[data-primary]').click();
    await shows(page, 'This is your only key.');
    expect((await spare.credentials()).map(({ credentialId }) => credentialId)).not.toContain(old?.credentialId);
    await press(page, 'History');
    await shows(page, 'You removed the key “Security key”.');
    await press(page, 'This was not me');
    await press(page, 'End everything');
    await shows(page, 'All your sessions have ended.');

    expect(await auditOf(email)).toEqual([
      'invited',
      'enrolled',
      'web-session-began',
      'enrolled',
      'key-renamed',
      'key-removed',
      'web-session-ended: key-removed',
      'web-session-began',
      'reported-not-me',
      'web-session-ended: not-me',
    ]);
    // The lost key opens nothing any more.
    await spare.remove();
    await addSecurityKey(page, { credentials: old ? [old] : [] });
    await open(page);
    await status(page, 'unknown-key');
    await page.browserContext().close();
  });

  test('the browser keeps the cookie at http://localhost, away from scripts and for this session alone', async () => {
    const { page } = await enrol();
    await open(page);
    await page.waitForSelector('.views');
    const cookies = await page.browserContext().cookies();
    expect(cookies).toMatchObject([
      {
        name: '__Host-vouch-account',
        domain: 'localhost',
        path: '/',
        httpOnly: true,
        secure: true,
        sameSite: 'Strict',
        session: true,
      },
    ]);
    expect(await page.evaluate(() => document.cookie)).toBe('');
    // Another tab has the cookie, and not the page's secret.
    const other = await page.browserContext().newPage();
    await other.goto(`${server.origin}/account`);
    await status(other, 'ready');
    expect(await other.evaluate(async () => (await fetch('/account/me')).status)).toBe(401);
    // A reload of the page has both.
    await page.reload();
    await page.waitForSelector('.views');
    await page.browserContext().close();
  });

  test('a cookie that a page of another port plants ends nothing but the page that it hits', async () => {
    const { email, page } = await enrol();
    await open(page);
    await page.waitForSelector('.views');
    const thief = await enrol();
    await open(thief.page);
    await thief.page.waitForSelector('.views');
    const [theirs] = await thief.page.browserContext().cookies();
    if (theirs === undefined) throw new Error('no cookie');
    await page.browserContext().setCookie(theirs);
    await page.reload();
    await status(page, 'over');
    expect(await page.evaluate(() => document.body.innerText)).not.toContain(thief.email);
    await page.locator('[data-primary]').click();
    await shows(page, email);
    // The thief's own page goes on.
    await press(thief.page, 'Sessions');
    await thief.page.reload();
    await shows(thief.page, thief.email);
    await Promise.all([page.browserContext().close(), thief.page.browserContext().close()]);
  });

  test('the last key’s owner cannot remove it, and a wrong key is not taken as a touch', async () => {
    const { page, key } = await enrol();
    await open(page);
    await shows(page, 'This is your only key.');
    expect(await page.evaluate(() => document.body.innerText)).not.toContain('Remove');
    // The page was loaded long ago, as far as the server knows.
    const real = server.context.now;
    server.context.now = () => Date.now() + 6 * 60_000;
    try {
      await press(page, 'Add a spare key');
      await press(page, 'Continue');
      // The old key is asked for first.
      await status(page, 'ready');
      expect(await page.evaluate(() => document.body.innerText)).toContain('Step 2 of 2');
      await key.remove();
      await addSecurityKey(page);
      await page.locator('[data-primary]').click();
      await shows(page, 'Added “Spare key”');
    } finally {
      server.context.now = real;
    }
    await page.browserContext().close();
  });
});
