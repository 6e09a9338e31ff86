import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, Router } from 'express';
import { Problem } from '../problem/problem.ts';
import { type AboutServer, fillPage } from './page-html.ts';

const PAGES = ['home', 'login', 'enroll', 'account', 'signed-in', 'wrong-address', 'not-found'];

/**
 * Where Vite put the pages: beside the bundled server, or in dist/ for a server that runs from source.
 *
 * @throws Problem `pages-missing`
 */
export function builtPages(): string {
  for (const place of ['../../dist/web/', '../web/']) {
    const folder = fileURLToPath(new URL(place, import.meta.url));
    const files = [...PAGES.map((name) => `${name}/index.html`), 'assets'];
    if (files.every((file) => existsSync(folder + file))) return folder;
  }
  throw new Problem({
    kind: 'pages-missing',
    what: 'The pages are not built (run `npm run build`), or this user cannot read them.',
  });
}

/** Serves the pages and what they load. Each page is one file, read at the start, whatever the rest of its URL says. */
export function pages(folder: string, about: AboutServer): Router {
  const router = Router();
  const page = (name: string) => sendPage(folder, name, about, 200);
  // Immutable, because Vite puts a hash of the content into each name.
  router.use('/assets', express.static(`${folder}/assets`, { immutable: true, maxAge: '1y', index: false }));
  router.get('/', page('home'));
  router.get('/login/:uid', page('login'));
  router.get(['/enroll', '/enroll/:ticket'], page('enroll'));
  router.get('/account', page('account'));
  router.get('/signed-in', page('signed-in'));
  return router;
}

/** Answers at a short address to which nothing belongs, or nothing any more. */
export function wrongAddressPage(folder: string, about: AboutServer): RequestHandler {
  return sendPage(folder, 'wrong-address', about, 404);
}

/** Answers a browser that asks for a page at an unknown address. A program gets the problem `not-found` from the next handler. */
export function notFoundPage(folder: string, about: AboutServer): RequestHandler {
  const send = sendPage(folder, 'not-found', about, 404);
  return (request, response, next) => {
    const isPage = request.method === 'GET' || request.method === 'HEAD';
    // The first of the two is for those who take anything (RFC 9110, section 12.5.1).
    if (isPage && request.accepts(['application/problem+json', 'text/html']) === 'text/html') {
      response.vary('Accept');
      send(request, response, next);
    } else next();
  };
}

function sendPage(folder: string, name: string, about: AboutServer, status: number): RequestHandler {
  const html = fillPage(readFileSync(`${folder}/${name}/index.html`, 'utf8'), about);
  return (_request, response) => {
    response.status(status).set('Cache-Control', 'no-store').type('html').send(html);
  };
}
