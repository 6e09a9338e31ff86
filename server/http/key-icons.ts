import { Router } from 'express';
import type { Context } from '../context.ts';
import { iconOf } from '../key-policy/icons.ts';
import { notFoundProblem } from './problem-handler.ts';

/** How long a browser may keep a picture, in seconds. */
const WEEK = 7 * 24 * 3600;

/** `GET /key-icons/:aaguid`: the pictures of models of keys. Pages may not show `data:` URLs, as which the metadata has them. */
export function keyIcons(context: Context): Router {
  const router = Router();
  router.get('/key-icons/:aaguid', (request, response) => {
    const icon = iconOf(context.keyPolicy().metadata, request.params.aaguid);
    if (icon === undefined) throw notFoundProblem();
    response.set('Cache-Control', `public, max-age=${WEEK}`).type('png').send(icon);
  });
  return router;
}
