import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { type PageEntry, pages } from './pages.ts';

/** Where a page's HTML would be if it were written by hand. Only Vite sees this file. */
const fileOf = (page: PageEntry) => resolve(import.meta.dirname, page.name, 'index.html');

/** A page's HTML: the template with the page's name, title and words. Vouch's server fills in the rest, the names in `{{…}}`. */
function htmlOf({ name, title, noscript }: PageEntry): string {
  const template = readFileSync(resolve(import.meta.dirname, 'template.html'), 'utf8');
  return template.replaceAll('{name}', name).replaceAll('{title}', title).replaceAll('{noscript}', noscript);
}

/** Makes one HTML file of the template for each page of the list, as an entry of the build. */
export const pagesFromTemplate: Plugin = {
  name: 'pages-from-template',
  enforce: 'pre',
  config: () => ({
    build: { rolldownOptions: { input: Object.fromEntries(pages.map((page) => [page.name, fileOf(page)])) } },
  }),
  resolveId: (id) => (pages.some((page) => fileOf(page) === id) ? id : undefined),
  load(id) {
    const page = pages.find((page) => fileOf(page) === id);
    return page && htmlOf(page);
  },
  // Vite's development server looks for HTML on the disk alone.
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      const path = request.url ?? '/';
      const page = pages.find(({ name }) => name === (path.split(/[/?]/)[1] || 'home'));
      if (!page || !request.headers.accept?.includes('text/html')) return next();
      response.setHeader('content-type', 'text/html; charset=utf-8');
      const html = htmlOf(page).replaceAll(/\{\{[a-z-]+\}\}/g, '');
      server.transformIndexHtml(path, html).then((html) => response.end(html), next);
    });
  },
};
