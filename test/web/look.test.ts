import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pages } from '../../web/pages.ts';
import { type LaunchedBrowser, launchBrowser } from '../browser/launch.ts';
import { answerSignIn, details } from './fixtures.ts';
import { axeFindings, type Look, look } from './look.ts';
import { addresses, type Site, startSite } from './site.ts';
import { states } from './states.ts';
import { dress, enrolledCredential, visit } from './visitor.ts';

let site: Site;
let chromium: LaunchedBrowser;

beforeAll(async () => {
  [site, chromium] = await Promise.all([startSite(), launchBrowser()]);
});
afterAll(() => Promise.all([site?.close(), chromium?.close()]));
beforeEach(() => site.reset());

const enrolled = { credentials: [enrolledCredential()] };

/** The highest window that many laptops and phones have left below the browser's own bars, in CSS pixels. */
const height = 620;

const dresses = [
  { width: 390, scheme: 'light' },
  { width: 390, scheme: 'dark' },
  { width: 1280, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
] as const;

const fine: Partial<Look> = { lang: 'en', headings: 1, small: [], faint: [], faintParts: [], offAxis: [] };

describe.each(states)('$name', ({ path, key, before, answer, until, touchable = false, high = false }) => {
  test('fits, can be read, and axe finds nothing: narrow and wide, light and dark', async () => {
    answer?.(site);
    const options = { height, reducedMotion: true, ...(key !== undefined && { key }), ...(before && { before }) };
    await using visitor = await visit(chromium.browser, site, path, options);
    await until(visitor);
    const { page, faults } = visitor;
    for (const { width, scheme } of dresses) {
      await dress(page, { width, height, scheme, reducedMotion: true });
      const seen = await look(page);
      const where = `${width} ${scheme}`;
      expect(seen, where).toMatchObject({ ...fine, dark: scheme === 'dark' });
      expect(seen.overflow, where).toBeLessThanOrEqual(0);
      if (!high) expect(seen.height, where).toBeLessThanOrEqual(height);
      expect(seen.primaries, where).toBeLessThanOrEqual(1);
      expect(seen.title, where).toMatch(/ · Vouch$/);
      // It looks at colours and layout: once for each of both is enough.
      if ((width === 390) === (scheme === 'light')) expect(await axeFindings(page), where).toEqual([]);
    }
    // People learn to read only what matters.
    const check = await page.evaluate(() => document.body.innerText.includes('Check that the address bar shows'));
    expect(check).toBe(touchable);
    expect(faults).toEqual([]);
  });
});

describe.each(pages)('$name without JavaScript', ({ name }) => {
  test('looks the same, and says what to do', async () => {
    const page = await chromium.browser.newPage();
    try {
      await page.setJavaScriptEnabled(false);
      await page.goto(`${site.origin}${addresses[name]}`);
      for (const { width, scheme } of dresses) {
        await dress(page, { width, height, scheme });
        const seen = await look(page);
        expect(seen).toMatchObject({ ...fine, dark: scheme === 'dark' });
        expect(seen.overflow).toBeLessThanOrEqual(0);
        expect(seen.height).toBeLessThanOrEqual(height);
      }
      await page.setJavaScriptEnabled(true);
      // axe needs scripts, and a browser with scripts shows nothing of <noscript>.
      await page.$eval('noscript', (element) => element.replaceWith(...element.childNodes));
      for (const { width, scheme } of dresses) {
        await dress(page, { width, height, scheme });
        expect(await axeFindings(page)).toEqual([]);
      }
      const text = await page.evaluate(() => document.body.innerText);
      expect(text).toMatch(/Vouch\s+Acme Engineering/);
      if (name === 'login' || name === 'enroll') {
        expect(text).toContain('This page needs JavaScript.');
        expect(text).toContain('ask your administrator (it-help@example.com).');
        expect(await page.$eval('.card a', (link) => link.getAttribute('href'))).toBe('mailto:it-help@example.com');
      }
      if (name === 'home') expect(text).toContain('vouch login --server https://vouch.example.com');
    } finally {
      await page.close();
    }
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

test('the icon comes from the same build', async () => {
  const page = await (await fetch(`${site.origin}/signed-in`)).text();
  const icon = /<link rel="icon"[^>]*href="(\/assets\/[^"]+\.svg)"/.exec(page)?.[1];
  const answer = await fetch(`${site.origin}${icon}`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('image/svg+xml');
  expect(page).not.toMatch(/<style|style=|data:|<script>/);
});
