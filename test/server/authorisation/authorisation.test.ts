import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../../server/app.ts';
import { Readiness } from '../../../server/health/readiness.ts';
import { SessionWatch } from '../../../server/sessions/session-watch.ts';
import { startServer, type TestServer } from '../support.ts';
import { ACTORS, castFor } from './cast.ts';
import { routesOf } from './routes-of.ts';
import { agents, everybody, pages, type Row } from './rules.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const NO_TICKET = `/${'t'.repeat(43)}`;
const enrolmentStep: Row = { rule: everybody(403), path: () => `/enroll${NO_TICKET}`, body: {} };
const step = (name: string): Row => ({ ...enrolmentStep, path: () => `/enroll${NO_TICKET}/${name}` });
const signInStep = (name: string): Row => ({
  rule: everybody(410),
  path: () => `/login${NO_TICKET}/${name}`,
  body: {},
});
const secondKey =
  (place: string): Row['path'] =>
  ({ alice }) =>
    `${place}/${alice.keys[1]}`;

/**
 * Every route of the server and who may use it. Statuses below 400 let the request through; 400 means that the caller was let through, but
 * that the body, which the test leaves empty, is not a key's answer.
 */
const MATRIX: Record<string, Row> = {
  'GET /healthz': { rule: everybody(200) },
  'GET /readyz': { rule: everybody(200) },

  // A secret in the address or in the body lets in, whoever sends it.
  'POST /enroll/start': { rule: everybody(403), body: { invitation: 'nonsense' } },
  'POST /enroll/status': { rule: everybody(404), body: { poll: 'nonsense' } },
  'POST /enroll/approve': { rule: everybody(410), body: { poll: 'nonsense', words: 'nonsense' } },
  'POST /enroll/deny': { rule: everybody(204), body: { poll: 'nonsense' } },
  'POST /enroll/:ticket/open': step('open'),
  'POST /enroll/:ticket/cancel': step('cancel'),
  'POST /enroll/:ticket/confirm/options': step('confirm/options'),
  'POST /enroll/:ticket/confirm/verify': { ...step('confirm/verify'), rule: everybody(400) },
  'POST /enroll/:ticket/options': step('options'),
  'POST /enroll/:ticket/verify': { ...step('verify'), rule: everybody(400) },
  'GET /login/:uid/details': { ...signInStep('details') },
  'POST /login/:uid/options': signInStep('options'),
  'POST /login/:uid/verify': signInStep('verify'),
  'POST /login/:uid/cancel': signInStep('cancel'),
  'GET /s/:code': { rule: everybody(404), path: () => '/s/00000-00000' },
  'GET /e/:code': { rule: everybody(404), path: () => '/e/00000-00000' },
  'POST /token/revocation': { rule: everybody(401), body: {} },

  // Served by oidc-provider, whose routes Express does not list.
  'GET /.well-known/openid-configuration': { rule: everybody(200) },
  'GET /jwks': { rule: everybody(200) },
  'POST /request': { rule: everybody(400), body: {} },
  'GET /auth': { rule: everybody(302) },
  'POST /token': { rule: everybody(400), body: {} },

  // Pictures of models that FIDO's metadata has; here there is none.
  'GET /key-icons/:aaguid': { rule: everybody(404), path: () => '/key-icons/2fc0579f-8113-47ea-b116-bb5a8db9202a' },
  'POST /account/sign-in/options': { rule: everybody(200), body: {} },
  'POST /account/sign-in/verify': { rule: everybody(400), body: {} },
  'POST /account/touch/options': { rule: pages(200), body: {} },
  'POST /account/touch/verify': { rule: pages(400), body: {} },
  'POST /account/sign-out': { rule: pages(204), body: {} },
  'GET /account/me': { rule: pages(200) },
  'GET /account/keys': { rule: pages(200) },
  'POST /account/keys/options': { rule: pages(200, { stale: 403 }), body: {} },
  // Its challenge was given out after a fresh touch.
  'POST /account/keys/verify': { rule: pages(400), body: {} },
  'PATCH /account/keys/:id': {
    rule: pages(204, { others: 404 }),
    path: secondKey('/account/keys'),
    body: { name: 'Spare' },
  },
  'DELETE /account/keys/:id': { rule: pages(200, { stale: 403, others: 404 }), path: secondKey('/account/keys') },
  'GET /account/sessions': { rule: pages(200) },
  'DELETE /account/sessions': { rule: pages(200) },
  'DELETE /account/sessions/:id': {
    rule: pages(200, { others: 404 }),
    path: ({ alice }) => `/account/sessions/${alice.sessionId}`,
  },
  'POST /account/not-me': { rule: pages(200), body: {} },
  'GET /account/history': { rule: pages(200) },

  'GET /api/keys': { rule: agents(200) },
  'PATCH /api/keys/:id': { rule: agents(204, { others: 404 }), path: secondKey('/api/keys'), body: { name: 'Spare' } },
  'DELETE /api/keys/:id': { rule: agents(200, { stale: 403, others: 404 }), path: secondKey('/api/keys') },
  'GET /api/sessions': { rule: agents(200) },
  'DELETE /api/sessions': { rule: agents(200) },
  'DELETE /api/sessions/:id': {
    rule: agents(200, { others: 404 }),
    path: ({ alice }) => `/api/sessions/${alice.webSessionId}`,
  },
  'POST /api/not-me': { rule: agents(200), body: {} },
  'GET /api/session': { rule: agents(200) },
  'DELETE /api/session': { rule: agents(204) },
  'GET /api/session/events': { rule: agents(200) },
  'POST /api/aws/token': { rule: agents(200), body: { role: 'arn:aws:iam::123456789012:role/VouchDeveloper' } },
};

const OF_PROVIDER = /^\w+ \/(\.well-known\/openid-configuration|jwks|request|auth|token)$/;

/** Pages are files: what they show comes from the routes above. */
const isPage = (route: string) =>
  ['GET /', 'GET /login/:uid', 'GET /enroll', 'GET /enroll/:ticket', 'GET /signed-in', 'GET /account'].includes(route);

describe('the list of routes', () => {
  test('has a row for each route, and a route for each row', () => {
    const routes = routesOf(
      createApp(server.context, {
        master: randomBytes(32),
        watch: new SessionWatch(server.context),
        readiness: new Readiness(server.context.log),
      }),
    );
    const rows = Object.keys(MATRIX).filter((route) => !OF_PROVIDER.test(route));
    expect(routes.filter((route) => !isPage(route)).sort()).toEqual(rows.sort());
  });
});

/** What an answer says; of a stream, what it says first. */
async function textOf(response: Response): Promise<string> {
  if (response.headers.get('content-type') !== 'application/x-ndjson') return response.text();
  for await (const chunk of response.body ?? []) return Buffer.from(chunk).toString();
  return '';
}

for (const [route, { rule, path, body }] of Object.entries(MATRIX)) {
  describe(route, () => {
    const [method = '', own = ''] = route.split(' ');
    for (const actor of ACTORS) {
      const expected = rule(actor);
      test(`answers ${expected}: ${actor}`, async () => {
        const cast = await castFor(server, actor);
        const before = await cast.rows();
        const response = await cast.send(method, path?.(cast) ?? own, body);
        const text = await textOf(response);
        expect(response.status, text).toBe(expected);
        const isAlice = actor.includes('of Alice');
        // Nobody else changes anything of hers, and neither does a request that was refused.
        if (!isAlice || expected >= 400) expect(await cast.rows()).toEqual(before);
        // And nobody else sees anything of hers.
        if (!isAlice) expect(text).not.toContain(cast.alice.id);
      });
    }
  });
}
