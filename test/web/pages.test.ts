import { globSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createServer } from 'vite';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { pages } from '../../web/pages.ts';
import { addresses, type Site, startSite } from './site.ts';

const root = resolve(import.meta.dirname, '../..');

let site: Site;

beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site?.close());

test('every folder that fills the template is a page of the list', () => {
  const folders = globSync('*/main.tsx', { cwd: resolve(root, 'web') }).map(dirname);
  expect(folders.sort()).toEqual(pages.map(({ name }) => name).sort());
});

test.each(pages)('the server shows $name at its address', async ({ name, title }) => {
  const answer = await fetch(`${site.origin}${addresses[name]}`, { headers: { accept: 'text/html' } });
  expect(answer.status).toBe(['not-found', 'wrong-address'].includes(name) ? 404 : 200);
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const html = await answer.text();
  expect(html).toContain(`<title>${title} · Vouch</title>`);
  expect(html).toMatch(new RegExp(`<script type="module" crossorigin src="/assets/${name}-[\\w-]+\\.js">`));
  expect(html).not.toMatch(/[{}]/);
});

test('and so does Vite’s development server, from the sources', async () => {
  const server = await createServer({
    configFile: resolve(root, 'vite.config.ts'),
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1', hmr: false, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  onTestFinished(() => server.close());
  await server.listen();
  const origin = server.resolvedUrls?.local[0];
  for (const { name, title } of pages) {
    const html = await (await fetch(`${origin}${name}/x`, { headers: { accept: 'text/html' } })).text();
    expect(html).toContain(`<title>${title} · Vouch</title>`);
    const script = await fetch(`${origin}${name}/main.tsx`);
    expect(script.headers.get('content-type')).toMatch(/^text\/javascript/);
  }
});
