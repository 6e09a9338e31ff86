import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillPage } from '../../../server/http/page-html.ts';
import { Browser } from '../browser.ts';
import { expectProblem, startServer, type TestServer } from '../support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ VOUCH_TEAM_NAME: 'R&D <Berlin>', VOUCH_CONTACT: 'it-help@example.com' });
});
afterAll(() => server.close());

/** What Firefox sends for a page that a person opens. */
const FIREFOX = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

const get = (path: string, accept: string, method = 'GET') =>
  fetch(`${server.origin}${path}`, { method, headers: { accept } });

describe('a browser', () => {
  test.each(['/', '/enroll', '/enroll/ticket', '/login/uid', '/signed-in'])('gets a page at %s', async (path) => {
    const answer = await get(path, FIREFOX);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const html = await answer.text();
    expect(html).toContain('<meta name="vouch-team" content="R&amp;D &lt;Berlin&gt;">');
    expect(html).toContain('<meta name="vouch-contact" content="it-help@example.com">');
    expect(html).toContain('<meta name="vouch-contact-link" content="mailto:it-help@example.com">');
    expect(html).not.toMatch(/[{}]|<Berlin>/);
  });

  test.each(['/nothing', '/login', '/admin/people?x=1', '/assets/'])('gets a page for the unknown %s', async (path) => {
    const answer = await get(path, FIREFOX);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(answer.headers.get('vary')).toContain('Accept');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).toContain('There is no page at this address.');
    const head = await get(path, FIREFOX, 'HEAD');
    expect([head.status, await head.text()]).toEqual([404, '']);
  });
});

describe('a program', () => {
  test.each(['*/*', 'application/json', 'application/problem+json, text/html;q=0.9', ''])(
    'that accepts %j gets a problem for an unknown address',
    async (accept) => {
      await expectProblem(await get('/nothing', accept), 404, 'not-found');
    },
  );

  test('gets one for another method too, whatever it accepts', async () => {
    await expectProblem(await get('/nothing', FIREFOX, 'POST'), 404, 'not-found');
  });
});

test('a problem that sends people to their administrator says how to reach them', async () => {
  const refused = await new Browser(server.origin).post('/enroll/start', { invitation: 'nonsense' });
  expect(((await refused.json()) as { detail: string }).detail).toContain(
    'ask your administrator (it-help@example.com) for a new one.',
  );
});

test('without a team and a contact the pages say what everybody can say', () => {
  const about = { issuer: 'https://vouch.example.com', teamName: undefined, contact: undefined };
  const html = fillPage('{{team}}|{{contact}}|{{contact-link}}|{{server}}|{{administrator}}|{{unknown}}', about);
  expect(html).toBe('|||a Vouch server|your administrator|{{unknown}}');
});

test('what an administrator writes is text, and a link only where there is one', () => {
  const issuer = 'https://vouch.example.com';
  const fill = (contact: { text: string; link: string | undefined }) =>
    fillPage('{{administrator}} {{team}}', { issuer, teamName: '$& "quoted"', contact });
  expect(fill({ text: '<b>#help</b>', link: undefined })).toBe(
    'your administrator (&lt;b&gt;#help&lt;/b&gt;) $&amp; &quot;quoted&quot;',
  );
  expect(fill({ text: 'https://x.example.com/?a&b', link: 'https://x.example.com/?a&b' })).toBe(
    'your administrator (<a class="link" href="https://x.example.com/?a&amp;b">https://x.example.com/?a&amp;b</a>) $&amp; &quot;quoted&quot;',
  );
});
