import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invite } from '../../../server/invitations/invite.ts';
import { Browser } from '../browser.ts';
import { SoftKey } from '../soft-key.ts';
import {
  countPeople,
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  keyNamesOf,
  moveClock,
  newEmail,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const start = (invitation: unknown, more: Record<string, unknown> = {}) =>
  new Browser(server.origin).post('/enroll/start', { invitation, ...more });

describe('an invitation', () => {
  test('leads to a person with a key that signs in', async () => {
    const email = newEmail();
    const key = new SoftKey(server.origin);
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, email));
    const status = () => enrolment.status();
    expect(await jsonOf(await status())).toEqual({ state: 'waiting', email });
    const shown = { words: expect.stringMatching(/^[a-z]+ [a-z]+ [a-z]+$/), expiresAt: expect.any(String) };
    const opened = await jsonOf<{ words: string }>(await enrolment.post('open'));
    expect(opened).toEqual({
      ...shown,
      page: expect.stringMatching(/^[\w-]{43}$/),
      approved: false,
      host: new URL(server.origin).host,
    });
    const { words } = opened;
    expect(await jsonOf(await status())).toEqual({ state: 'opened', email, words });
    expect((await enrolment.answer('approve', words)).status).toBe(204);
    expect(await jsonOf(await status())).toEqual({ state: 'approved', email });
    expect(await jsonOf(await enrolment.post('open'))).toEqual({
      words,
      approved: true,
      email,
      machine: 'alices-laptop',
      client: 'Vouch CLI',
      requestedAt: expect.any(String),
      expiresAt: expect.any(String),
      host: new URL(server.origin).host,
      needsConfirmation: false,
    });
    const enrolled = { email, key: { name: 'Security key', model: null } };
    expect(await jsonOf(await enrolment.register(key))).toEqual(enrolled);
    expect(await jsonOf(await status())).toEqual({ state: 'done', ...enrolled });
    await signIn(server.origin, key);
  });

  test('asks for a discoverable credential on a roaming key that verifies its user, and for its model', async () => {
    const email = newEmail();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    expect(await enrolment.options()).toMatchObject({
      rp: { id: 'localhost', name: 'Vouch' },
      user: { name: email },
      attestation: 'direct',
      hints: ['security-key'],
      timeout: 300_000,
      excludeCredentials: [],
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
        authenticatorAttachment: 'cross-platform',
      },
    });
  });

  test('enrols one key: used twice it is refused', async () => {
    const email = newEmail();
    const code = await inviteCode(server, email);
    const enrolment = await Enrolment.open(server.origin, code);
    await jsonOf(await enrolment.register(new SoftKey(server.origin)));
    await expectProblem(await start(code), 403, 'invitation-refused');
    await expectProblem(await enrolment.post('options'), 403, 'invitation-refused');
    await expectProblem(await enrolment.post('open'), 403, 'invitation-refused');
    expect(await keyNamesOf(server, email)).toHaveLength(1);
  });

  test('enrols one key: of 10 at the same moment one wins', async () => {
    const email = newEmail();
    const code = await inviteCode(server, email);
    const racers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const enrolment = await Enrolment.open(server.origin, code);
        return { enrolment, answer: new SoftKey(server.origin).create(await enrolment.options()) };
      }),
    );
    const responses = await Promise.all(racers.map(({ enrolment, answer }) => enrolment.post('verify', answer)));
    expect(responses.filter((response) => response.status === 200)).toHaveLength(1);
    for (const response of responses.filter((item) => item.status !== 200)) {
      await expectProblem(response, 403, 'invitation-refused');
    }
    expect(await keyNamesOf(server, email)).toHaveLength(1);
    expect(await countPeople(server, email)).toBe(1);
  });

  test('that ends while the enrolment is under way enrols nobody', async () => {
    const email = newEmail();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const answer = new SoftKey(server.origin).create(await enrolment.options());
    await server.context.store.updateTable('invitations').set({ expires_at: 1 }).where('email', '=', email).execute();
    await expectProblem(await enrolment.post('verify', answer), 403, 'invitation-refused');
    expect(await countPeople(server, email)).toBe(0);
  });

  const shutOut = { 'a disabled person': { disabled_at: 1 }, 'a person whose end date has come': { ends_at: 1 } };
  for (const [whom, state] of Object.entries(shutOut)) {
    test(`does not help ${whom}, and only its holder learns why`, async () => {
      const { email, key } = await enrolPerson(server);
      const { store } = server.context;
      await store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', key.id).execute();
      const code = await inviteCode(server, email);
      const enrolment = await Enrolment.open(server.origin, code);
      const answer = new SoftKey(server.origin).create(await enrolment.options());
      await store.updateTable('people').set(state).where('email', '=', email).execute();
      await expectProblem(await enrolment.post('verify', answer), 403, 'person-shut-out');
      await expectProblem(await start(code), 403, 'person-shut-out');
      await expectProblem(await start(code, { email: 'someone@example.com' }), 403, 'invitation-refused');
      expect(await keyNamesOf(server, email)).toHaveLength(1);
    });
  }

  test('for an owner makes one, and a later ordinary one takes nothing away', async () => {
    const email = newEmail();
    const { store } = server.context;
    const role = async () =>
      (await store.selectFrom('people').where('email', '=', email).select('role').executeTakeFirst())?.role;
    const { code } = await invite(store, Date.now(), { email, role: 'owner' }, { actor: 'cli:root' });
    const first = new SoftKey(server.origin);
    await jsonOf(await (await Enrolment.open(server.origin, code)).register(first));
    expect(await role()).toBe('owner');
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await jsonOf(await enrolment.confirm(first));
    await jsonOf(await enrolment.register(new SoftKey(server.origin)));
    expect(await role()).toBe('owner');
  });
});

describe('an enrolment', () => {
  test('belongs to the page that opens it first', async () => {
    const email = newEmail();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const answer = new SoftKey(server.origin).create(await enrolment.options());
    const claims: Record<string, string>[] = [
      {},
      { 'vouch-page': '' },
      { 'vouch-page': 'null' },
      { 'vouch-page': enrolment.ticket },
      { 'vouch-page': enrolment.poll },
      { 'vouch-page': 'A'.repeat(43) },
      { cookie: `vouch-page=${enrolment.page}; vouch-enroll=${enrolment.page}` },
    ];
    for (const headers of claims) {
      for (const step of ['open', 'options', 'verify', 'confirm/options', 'confirm/verify']) {
        const stranger = new Browser(server.origin);
        const path = `/enroll/${enrolment.ticket}/${step}`;
        await expectProblem(await stranger.post(path, answer, headers), 403, 'other-browser');
      }
    }
    expect(await keyNamesOf(server, email)).toEqual([]);
    await jsonOf(await enrolment.post('open'));
    await jsonOf(await enrolment.post('verify', answer));
  });

  test('cannot go on before it is opened', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newEmail()));
    await expectProblem(await enrolment.post('options'), 403, 'other-browser');
  });

  test('is not opened with a secret that the page brings along', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newEmail()));
    const planted = 'A'.repeat(43);
    const path = `/enroll/${enrolment.ticket}/open`;
    const opened = await jsonOf<{ page: string }>(
      await new Browser(server.origin).post(path, {}, { 'vouch-page': planted }),
    );
    expect(opened.page).not.toBe(planted);
    const planter = await new Browser(server.origin).post(path, {}, { 'vouch-page': planted });
    await expectProblem(planter, 403, 'other-browser');
  });

  test('opened by 10 browsers at the same moment belongs to one', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newEmail()));
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => new Browser(server.origin).post(`/enroll/${enrolment.ticket}/open`)),
    );
    expect(responses.filter((response) => response.status === 200)).toHaveLength(1);
  });

  test('whose page gave the code needs no terminal: its ticket is in no URL, and only that page has its secret', async () => {
    const email = newEmail();
    const browser = new Browser(server.origin);
    const start = { invitation: await inviteCode(server, email), page: true };
    const started = await jsonOf<Record<string, string>>(await browser.post('/enroll/start', start));
    expect(Object.keys(started).sort()).toEqual(['email', 'expiresAt', 'page', 'ticket']);
    const path = (step: string) => `/enroll/${started.ticket}/${step}`;
    await expectProblem(await browser.post(path('open')), 403, 'other-browser');
    const headers = { 'vouch-page': started.page ?? '' };
    const details = await jsonOf(await browser.post(path('open'), {}, headers));
    expect(details).toMatchObject({ email, client: 'this browser', machine: null, words: null, approved: true });
    const options = await jsonOf(await browser.post(path('options'), {}, headers));
    const key = new SoftKey(server.origin);
    await jsonOf(await browser.post(path('verify'), key.create(options as never), headers));
    await signIn(server.origin, key);
  });

  test('is over after 15 minutes', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
    moveClock(server, 15 * 60_000);
    await expectProblem(await enrolment.post('options'), 403, 'invitation-refused');
    const status = await enrolment.browser.post('/enroll/status', { poll: enrolment.poll });
    await expectProblem(status, 404, 'interaction-over');
  });

  test('with a ticket that is unknown, too long or not text is refused', async () => {
    const browser = new Browser(server.origin);
    await expectProblem(await browser.post('/enroll/nobody/open'), 403, 'invitation-refused');
    await expectProblem(await browser.post(`/enroll/${'x'.repeat(101)}/open`), 400, 'bad-request');
    await expectProblem(await browser.post('/enroll/%E0%A4%A/open'), 400, 'bad-request');
  });

  test('is written to the audit table', async () => {
    const email = newEmail();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const key = new SoftKey(server.origin);
    await enrolment.register(key);
    const rows = await server.context.store
      .selectFrom('audit')
      .where('subject', '=', email)
      .orderBy('id')
      .select(['event', 'key_id'])
      .execute();
    expect(rows).toEqual([
      { event: 'invited', key_id: null },
      { event: 'enrolled', key_id: key.id },
    ]);
  });
});
