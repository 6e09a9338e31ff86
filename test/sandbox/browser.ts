import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { HTTPResponse, Page } from 'puppeteer-core';
import { type LaunchedBrowser, launchBrowser } from '../browser/launch.ts';
import { addSecurityKey, type Credential, type SecurityKey } from '../browser/security-key.ts';

/**
 * The person at the desk: a browser that opens the given pages, and a security key that is touched at once. Asked for a second
 * key, the person brings one, and puts it into a drawer afterwards.
 */
export interface SandboxBrowser {
  /** Opens a page with the key plugged in. */
  open(url: string): Promise<Page>;
  /** The three words that the next enrolment page shows. */
  words(): Promise<string>;
  /** The page that was opened last. */
  page(): Page | undefined;
  /** The credentials on the key in hand. */
  credentials(): Promise<Credential[]>;
  /** The credentials on the key in the drawer. */
  drawer(): Promise<Credential[]>;
  /** Replaces the key with another one, empty by default. */
  changeKey(credentials?: readonly Credential[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the browser and listens for URLs on a socket.
 *
 * @param socket the path of the socket to which open-page.ts sends the page's URL
 * @param folder for the browser's throw-away profile
 */
export async function startBrowser(socket: string, folder: string): Promise<SandboxBrowser> {
  let held: Credential[] = [];
  let drawer: Credential[] = [];
  let current: Desk | undefined;
  let opening: Promise<unknown> = Promise.resolve();
  let comparing: ((page: Page) => void)[] = [];

  const remember = async () => {
    if (current === undefined) return;
    const plugged = await current.key.credentials();
    if (current.first === undefined) held = plugged;
    else [held, drawer] = [current.first, plugged];
  };

  /** Takes the key out of the previous page: in Chromium a virtual key belongs to one page, and it holds the counter. */
  const unplug = async () => {
    if (current === undefined) return;
    await remember();
    await current.page.close();
    current = undefined;
  };
  const open = async (url: string) => {
    await unplug();
    const page = await launched.browser.newPage();
    const key = await addSecurityKey(page, { credentials: held });
    current = { page, key };
    // Watch from the start: a confirmation can be over before the page has loaded.
    const { pathname, searchParams } = new URL(url);
    if (pathname === '/account' && searchParams.has('add')) void addOnAccountPage(current).catch(() => {});
    if (/^\/(e|enroll)\//.test(pathname)) {
      void bringSecondKey(current).catch(() => {});
      for (const look of comparing) look(page);
      comparing = [];
    }
    await page.goto(url);
    return page;
  };

  const server = createServer((connection) => {
    connection.on('error', () => {});
    createInterface({ input: connection }).once('line', (url) => {
      opening = opening
        .then(() => open(url))
        .catch((error: Error) => console.error(`The sandbox's browser could not open the page: ${error.message}`))
        .finally(() => connection.destroy());
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  const launched: LaunchedBrowser = await launchBrowser({ folder }).catch((error: unknown) => {
    server.close();
    throw error;
  });

  return {
    open: async (url) => {
      const page = opening.then(() => open(url));
      opening = page.catch(() => {});
      return page;
    },
    words: async () => {
      const page = await new Promise<Page>((resolve) => comparing.push(resolve));
      const words = await page.waitForSelector('.words strong', { timeout: 0 });
      return (await words?.evaluate((element) => element.textContent)) ?? '';
    },
    page: () => current?.page,
    credentials: async () => {
      await opening;
      await remember();
      return held;
    },
    drawer: async () => {
      await opening;
      await remember();
      return drawer;
    },
    changeKey: async (credentials = []) => {
      await opening;
      await unplug();
      held = [...credentials];
    },
    close: async () => {
      server.close();
      await opening;
      await launched.close();
    },
  };
}

/** The open page, with the key that is plugged in there. */
interface Desk {
  page: Page;
  key: SecurityKey;
  /** The credentials on the first key, once a second one has replaced it. */
  first?: Credential[];
}

/** If the page asks for an enrolled key and then for a new one, exchanges the keys in between. */
async function bringSecondKey(desk: Desk): Promise<void> {
  const { page } = desk;
  const confirmed = (response: HTTPResponse) => response.url().endsWith('/confirm/verify') && response.ok();
  await page.waitForResponse(confirmed, { timeout: 0 });
  await page.waitForSelector('[role=status][data-status="ready"]', { timeout: 0 });
  await changeKeys(desk);
  await page.locator('[data-primary]').click();
}

/** Signs in to my account with the key in hand, then adds a new one under the name that the page proposes. */
async function addOnAccountPage(desk: Desk): Promise<void> {
  const { page } = desk;
  await page.waitForSelector('[role=status][data-status="ready"]', { timeout: 0 });
  await page.locator('[data-primary]').click();
  await page.waitForSelector('#new-key', { timeout: 0 });
  await changeKeys(desk);
  await page.locator('[data-primary]').click();
}

/** Plugs a new key in, in place of the first. */
async function changeKeys(desk: Desk): Promise<void> {
  desk.first = await desk.key.credentials();
  await desk.key.remove();
  desk.key = await addSecurityKey(desk.page);
}
