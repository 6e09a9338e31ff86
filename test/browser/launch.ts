import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';
import { libraryPaths, unpackedChromium } from './chromium.ts';

export interface LaunchOptions {
  /** Where to make the browser's temporary folder. By default in the system's. */
  folder?: string;
  /** Further flags. */
  args?: readonly string[];
}

export interface LaunchedBrowser extends AsyncDisposable {
  readonly browser: Browser;
  /** Ends the browser and removes its folder. You may call it twice. */
  close(): Promise<void>;
}

/**
 * Starts a real Chromium, headless, that makes no requests by itself. It writes into one folder, which `close` removes. We
 * drive it over a pipe: it opens no port, and ends when this process does.
 */
export async function launchBrowser(options: LaunchOptions = {}): Promise<LaunchedBrowser> {
  const home = await unpackedChromium();
  const folder = await mkdtemp(join(options.folder ?? tmpdir(), 'browser-'));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const executablePath = join(home, 'chromium');
    const env = {
      ...process.env,
      HOME: folder,
      TMPDIR: folder,
      XDG_CONFIG_HOME: folder,
      XDG_CACHE_HOME: folder,
      ...(await libraryPaths(home)),
    };
    const browser = await puppeteer.launch({
      executablePath,
      headless: 'shell',
      pipe: true,
      userDataDir: join(folder, 'profile'),
      env,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      args: [
        '--no-sandbox',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-quic',
        '--disable-gpu',
        ...(options.args ?? []),
      ],
    });
    // A process that ends without a close leaves nothing behind.
    const abandon = () => {
      browser.process()?.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    };
    process.once('exit', abandon);
    let closed: Promise<void> | undefined;
    const close = () => {
      process.off('exit', abandon);
      closed ??= browser.close().finally(remove);
      return closed;
    };
    return { browser, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await remove();
    throw error;
  }
}
