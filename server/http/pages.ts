import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, Router } from 'express';
import { Problem } from '../problem/problem.ts';

/**
 * Where Vite put the pages: beside the bundled server, or in dist/ for a server that runs from source.
 *
 * @throws Problem `pages-missing`
 */
export function builtPages(): string {
  for (const place of ['../../dist/web/', '../web/']) {
    const folder = fileURLToPath(new URL(place, import.meta.url));
    if (existsSync(`${folder}/login/index.html`) && existsSync(`${folder}/assets`)) return folder;
  }
  throw new Problem({
    kind: 'pages-missing',
    what: 'The pages are not built (run `npm run build`), or this user cannot read them.',
  });
}

/** Serves the pages and what they load. Each page is one file, whatever the rest of its URL says. */
export function pages(folder: string): Router {
  const router = Router();
  const page = (name: string): RequestHandler => {
    return (_request, response, next) => {
      response.set('Cache-Control', 'no-store');
      response.sendFile(`${name}/index.html`, { root: folder, cacheControl: false }, (error) => {
        if (error && !response.headersSent) next(error);
      });
    };
  };
  // Immutable, because Vite puts a hash of the content into each name.
  router.use('/assets', express.static(`${folder}/assets`, { immutable: true, maxAge: '1y', index: false }));
  router.get('/login/:uid', page('login'));
  router.get(['/enroll', '/enroll/:ticket'], page('enroll'));
  router.get('/signed-in', page('signed-in'));
  return router;
}
