import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Page } from 'puppeteer-core';
import {
  addSecurityKey,
  type Credential,
  type LaunchedBrowser,
  launchBrowser,
  type SecurityKey,
} from '../browser/launch.ts';

/** The person at the desk: a browser that opens what it is told to, and a security key that is touched at once. */
export interface SandboxBrowser {
  /** Opens a page with the key plugged in. */
  open(url: string): Promise<Page>;
  /** The page that was opened last. */
  page(): Page | undefined;
  /** What the key holds. */
  credentials(): Promise<Credential[]>;
  /** Exchanges the key for another (an empty one by default). */
  changeKey(credentials?: readonly Credential[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the browser and listens for URLs on a socket.
 *
 * @param socket the path at which open-page.ts says which page to open
 * @param folder for the browser's throw-away profile
 */
export async function startBrowser(socket: string, folder: string): Promise<SandboxBrowser> {
  const launched: LaunchedBrowser = await launchBrowser({ folder });
  let held: Credential[] = [];
  let current: { page: Page; key: SecurityKey } | undefined;
  let opening: Promise<unknown> = Promise.resolve();

  /** Takes the key out of the page before: Chromium keeps virtual keys apart by page, and the counter lives in them. */
  const unplug = async () => {
    if (current === undefined) return;
    held = await current.key.credentials();
    await current.page.close();
    current = undefined;
  };
  const open = async (url: string) => {
    await unplug();
    const page = await launched.browser.newPage();
    const key = await addSecurityKey(page, { credentials: held });
    current = { page, key };
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

  return {
    open: async (url) => {
      const page = opening.then(() => open(url));
      opening = page.catch(() => {});
      return page;
    },
    page: () => current?.page,
    credentials: async () => {
      await opening;
      return current === undefined ? held : current.key.credentials();
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
