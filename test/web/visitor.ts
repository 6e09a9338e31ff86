import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Browser, Page } from 'puppeteer-core';
import { addSecurityKey, type Credential, type SecurityKey, type SecurityKeyOptions } from '../browser/security-key.ts';
import type { Site } from './site.ts';

/** How a browser shows its pages. */
export interface Dress {
  width?: number;
  height?: number;
  scheme?: 'light' | 'dark';
  reducedMotion?: boolean;
}

export interface VisitOptions extends Dress {
  /** The key to plug in; `null` for none. */
  key?: SecurityKeyOptions | null;
  /** The origin to use instead of the site's own. */
  origin?: string;
  /** Runs in the page before its own scripts. */
  before?: () => void;
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  readonly key: SecurityKey | undefined;
  /** Waits until the live region has this id, and returns its text. */
  status(id: string): Promise<string>;
  press(): Promise<void>;
  /** Requests to other origins, CSP violations and errors. Must stay empty. */
  readonly faults: string[];
}

export async function dress(page: Page, { width = 1280, height = 800, ...prefers }: Dress): Promise<void> {
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: prefers.scheme ?? 'light' },
    { name: 'prefers-reduced-motion', value: prefers.reducedMotion ? 'reduce' : 'no-preference' },
  ]);
}

/** Opens a page of the site in a new tab, and records everything that it must not do. */
export async function visit(
  browser: Browser,
  site: Pick<Site, 'origin'>,
  path: string,
  options: VisitOptions = {},
): Promise<Visit> {
  const page = await browser.newPage();
  const faults: string[] = [];
  const origin = options.origin ?? site.origin;
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin) faults.push(`request to ${request.url()}`);
  });
  page.on('requestfailed', (request) => {
    if (request.failure()?.errorText.includes('BLOCKED')) faults.push(`blocked ${request.url()}`);
  });
  page.on('pageerror', (error) => faults.push(`error ${error}`));
  page.on('console', (message) => {
    // Chromium logs every answer of 400 and above. Some tests are about those.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  await page.exposeFunction('noteViolation', (what: string) => void faults.push(`policy ${what}`));
  await page.evaluateOnNewDocument(() => {
    const note = (window as unknown as { noteViolation(what: string): void }).noteViolation;
    document.addEventListener('securitypolicyviolation', (event) => {
      note(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  if (options.before) await page.evaluateOnNewDocument(options.before);

  await dress(page, options);
  const key = options.key === null ? undefined : await addSecurityKey(page, options.key ?? {});
  await page.goto(`${origin}${path}`);

  return {
    page,
    key,
    faults,
    async status(id) {
      const region = await page.waitForSelector(`[role=status][data-status="${id}"]`);
      return (await region?.evaluate((element) => element.textContent)) ?? '';
    },
    press: () => page.locator('[data-primary]').click(),
    [Symbol.asyncDispose]: () => page.close(),
  };
}

/** The credential that a key holds after an enrolment at `rpId`. */
export function enrolledCredential(rpId = 'localhost'): Credential {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    credentialId: randomBytes(32).toString('base64'),
    isResidentCredential: true,
    rpId,
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    userHandle: randomBytes(16).toString('base64'),
    signCount: 1,
  };
}
