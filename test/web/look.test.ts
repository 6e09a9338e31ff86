import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LaunchedBrowser, launchBrowser } from '../browser/launch.ts';
import { answerEnrolment, answerSignIn, details } from './fixtures.ts';
import { problem, type Site, startSite } from './site.ts';
import { enrolledCredential, type Visit, type VisitOptions, visit } from './visitor.ts';

let site: Site;
let chromium: LaunchedBrowser;

beforeAll(async () => {
  [site, chromium] = await Promise.all([startSite(), launchBrowser()]);
});
afterAll(() => Promise.all([site?.close(), chromium?.close()]));
beforeEach(() => site.reset());

const enrolled = { credentials: [enrolledCredential()] };
const long = {
  ...details,
  host: 'vouch.identity.eu-central-1.internal.a-company-with-a-very-long-name.example.com',
  machine: 'the-machine-whose-name-somebody-made-from-the-whole-inventory-record.example.com',
};

interface State {
  name: string;
  path: string;
  answer(): void;
  key?: VisitOptions['key'];
  until(visitor: Visit): Promise<unknown>;
}

const states: State[] = [
  {
    name: 'waiting for the touch',
    path: '/login/u1',
    key: { ...enrolled, touchesByItself: false },
    answer: () => answerSignIn(site),
    until: (visitor) => visitor.status('touching'),
  },
  {
    name: 'long names',
    path: '/login/u1',
    key: { ...enrolled, touchesByItself: false },
    answer() {
      answerSignIn(site);
      site.answer('GET /login/u1/details', { body: long });
    },
    until: (visitor) => visitor.status('touching'),
  },
  {
    name: 'the words to compare',
    path: '/enroll/t1',
    answer() {
      answerEnrolment(site);
      site.answer('POST /enroll/t1/open', { body: { approved: false, words: 'curious lighthouse hammock' } });
    },
    until: (visitor) => visitor.status('waiting'),
  },
  {
    name: 'a page that another browser opened first',
    path: '/enroll/t1',
    answer() {
      answerEnrolment(site);
      site.answer('POST /enroll/t1/open', problem('other-browser', 403));
    },
    until: (visitor) => visitor.status('enrol-other-browser'),
  },
  {
    name: 'a refusal',
    path: '/login/u1',
    key: enrolled,
    answer() {
      answerSignIn(site);
      site.answer('POST /login/u1/verify', problem('unknown-key', 401));
    },
    until: (visitor) => visitor.status('unknown-key'),
  },
  {
    name: 'the invitation code',
    path: '/enroll',
    answer: () => answerEnrolment(site),
    until: (visitor) => visitor.page.waitForSelector('#invitation'),
  },
  {
    name: 'an enrolled key',
    path: '/enroll/t1',
    answer: () => answerEnrolment(site),
    until: (visitor) => visitor.status('done'),
  },
  {
    name: 'signed in',
    path: '/signed-in',
    answer: () => undefined,
    until: (visitor) => visitor.page.waitForSelector('h1'),
  },
];

describe.each(states)('$name', ({ path, key, answer, until }) => {
  test.each([
    [390, 'light'],
    [390, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)('fits %i pixels, %s, and can be read', async (width, scheme) => {
    answer();
    await using visitor = await visit(chromium.browser, site, path, { width, scheme, ...(key && { key }) });
    await until(visitor);

    const seen = await visitor.page.evaluate(look);
    expect(seen.overflow).toBeLessThanOrEqual(0);
    expect(seen.lang).toBe('en');
    expect(seen.title).toMatch(/ · Vouch$/);
    expect(seen.headings).toBe(1);
    expect(seen.primary).toBeLessThanOrEqual(1);
    expect(seen.small).toEqual([]);
    expect(seen.faint).toEqual([]);
    expect(seen.dark).toBe(scheme === 'dark');
    expect(visitor.faults).toEqual([]);
  });
});

test('the drawing moves, and is still for those who prefer that', async () => {
  answerSignIn(site);
  const key = { ...enrolled, touchesByItself: false };
  const animations = () => document.getAnimations().filter((animation) => animation.playState === 'running').length;
  for (const reducedMotion of [false, true]) {
    await using visitor = await visit(chromium.browser, site, '/login/u1', { key, reducedMotion });
    await visitor.status('touching');
    const moving = await visitor.page.evaluate(animations);
    if (reducedMotion) expect(moving).toBe(0);
    else expect(moving).toBeGreaterThan(0);
  }
});

test('the live region is there before it has something to say', async () => {
  answerSignIn(site);
  const { promise, resolve } = Promise.withResolvers<void>();
  site.answer('GET /login/u1/details', { body: details, after: promise });
  await using visitor = await visit(chromium.browser, site, '/login/u1', { key: enrolled });
  const region = await visitor.page.waitForSelector('[role=status][aria-live=polite]');
  expect(await region?.evaluate((element) => element.textContent)).toBe('');
  resolve();
  await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
});

test('without JavaScript the page says what is missing', async () => {
  const page = await chromium.browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.goto(`${site.origin}/login/u1`);
  const text = await page.$eval('noscript', (element) => element.textContent);
  expect(text).toContain('This page needs JavaScript.');
  await page.close();
});

test('the icon comes from the same build', async () => {
  const page = await (await fetch(`${site.origin}/signed-in`)).text();
  const icon = /<link rel="icon"[^>]*href="(\/assets\/[^"]+\.svg)"/.exec(page)?.[1];
  const answer = await fetch(`${site.origin}${icon}`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('image/svg+xml');
  expect(page).not.toMatch(/<style|style=|data:|<script>/);
});

/** Runs in the page. Measures what a person would see. */
function look() {
  const channel = (value: number) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const parse = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([red = 0, green = 0, blue = 0]: number[]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const behind = (element: Element | null): number[] => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const name = (element: Element) => `${element.tagName} ${element.textContent?.slice(0, 30)}`;

  const faint: string[] = [];
  for (const element of document.querySelectorAll('#page *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
    if (!hasText || element.getClientRects().length === 0) continue;
    const pair = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))];
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (contrast < 4.5) faint.push(`${name(element)} ${contrast.toFixed(2)}`);
  }
  const targets = [...document.querySelectorAll('button, input, summary, a')];
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
    lang: document.documentElement.lang,
    title: document.title,
    headings: document.querySelectorAll('h1').length,
    primary: document.querySelectorAll('[data-primary]').length,
    small: targets.filter((target) => target.getBoundingClientRect().height < 44).map(name),
    faint,
    dark: luminance(behind(document.body)) < 0.1,
  };
}
