import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { offerOwnership, refuseBeforeOwner } from '../../../server/enrolment/first-owner.ts';
import { invite } from '../../../server/invitations/invite.ts';
import { isOpen } from '../../../server/people/open-invitations.ts';
import { Browser } from '../browser.ts';
import { keyRow, personRow } from '../rows.ts';
import { SoftKey } from '../soft-key.ts';
import {
  Enrolment,
  expectProblem,
  inviteCode,
  jsonOf,
  moveClock,
  newEmail,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';

const OWNER = 'owner@example.com';

let server: TestServer;
beforeEach(async () => {
  server = await startServer();
  // So the server itself has printed no link.
  server.context.config = { ...server.context.config, ownerEmail: OWNER };
});
afterEach(() => server.close());

const store = () => server.context.store;

/** Starts a server on the same database once more, as far as its owner is concerned. */
async function newLink(): Promise<string> {
  const offer = await offerOwnership(server.context);
  if (offer?.link === undefined) throw new Error('there is no link');
  return offer.link;
}

/** A page that has a link's address. */
class LinkPage {
  readonly #browser = new Browser(server.origin);
  readonly #path: string;
  #secret: string | undefined;

  constructor(link: string) {
    this.#path = new URL(link).pathname;
  }

  async post(step: string, body: unknown = {}): Promise<Response> {
    const headers: Record<string, string> = this.#secret === undefined ? {} : { 'vouch-page': this.#secret };
    const response = await this.#browser.post(`${this.#path}/${step}`, body, headers);
    const { page } = Object(
      await response
        .clone()
        .json()
        .catch(() => ({})),
    ) as { page?: string };
    this.#secret = page ?? this.#secret;
    return response;
  }

  async answer(key: SoftKey) {
    return key.create((await jsonOf(await this.post('options'))) as never);
  }

  async enrol(key = new SoftKey(server.origin)): Promise<Response> {
    return this.post('verify', await this.answer(key));
  }
}

const people = () => store().selectFrom('people').select(['email', 'role']).orderBy('email').execute();
const openInvitations = async () => {
  const rows = await store().selectFrom('invitations').where(isOpen(server.context.now())).select('email').execute();
  return rows.map(({ email }) => email);
};
const start = (invitation: string) => new Browser(server.origin).post('/enroll/start', { invitation });

describe('the first owner’s link', () => {
  test('stays good when its page cancels: there is no other way in', async () => {
    const page = new LinkPage(await newLink());
    await page.post('open');
    expect((await page.post('cancel')).status).toBe(204);
    await jsonOf(await page.enrol());
  });

  test('opens a page that needs no terminal, and makes its owner', async () => {
    const page = new LinkPage(await newLink());
    expect(await jsonOf(await page.post('open'))).toEqual({
      page: expect.any(String),
      words: null,
      approved: true,
      email: OWNER,
      client: 'a link that the server printed',
      machine: null,
      requestedAt: expect.any(String),
      expiresAt: expect.any(String),
      host: new URL(server.origin).host,
      needsConfirmation: false,
    });
    const key = new SoftKey(server.origin);
    expect(await jsonOf(await page.enrol(key))).toMatchObject({ email: OWNER });
    expect(await people()).toEqual([{ email: OWNER, role: 'owner' }]);
    await signIn(server.origin, key);
    const rows = await store().selectFrom('audit').where('subject', '=', OWNER).select(['event', 'actor']).execute();
    expect(rows).toEqual(
      expect.arrayContaining([
        { event: 'invited', actor: 'server' },
        { event: 'enrolled', actor: OWNER },
      ]),
    );
  });

  test('works once; then there is none, and others can be invited', async () => {
    const link = await newLink();
    const page = new LinkPage(link);
    await page.post('open');
    const answers = [await page.answer(new SoftKey(server.origin)), await page.answer(new SoftKey(server.origin))];
    const responses = await Promise.all(answers.map((answer) => page.post('verify', answer)));
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 403]);
    for (const response of responses)
      if (response.status !== 200) await expectProblem(response, 403, 'owner-link-over');
    for (const late of [page, new LinkPage(link)]) {
      const opened = await late.post('open');
      expect(await opened.clone().json()).toMatchObject({ title: expect.stringContaining('has been used') });
      await expectProblem(opened, 403, 'owner-link-over');
    }
    expect(await offerOwnership(server.context)).toBeUndefined();
    await refuseBeforeOwner(store(), server.context.config);
    await jsonOf(await start(await inviteCode(server, newEmail())));
  });

  test('belongs to the first of 10 browsers; the others are told what to do', async () => {
    const link = await newLink();
    const responses = await Promise.all(Array.from({ length: 10 }, () => new LinkPage(link).post('open')));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    const [refused] = responses.filter(({ status }) => status !== 200);
    expect(await refused?.json()).toMatchObject({
      type: 'urn:vouch:problem:owner-link-over',
      title: 'Another browser opened this link first',
      detail: expect.stringContaining('restart the server at once'),
    });
  });

  test('is void after the next start once its page is open', async () => {
    const first = new LinkPage(await newLink());
    await first.post('open');
    const answer = await first.answer(new SoftKey(server.origin));
    const second = new LinkPage(await newLink());
    const row = store()
      .selectFrom('audit')
      .where('event', '=', 'invitation-revoked')
      .select(['actor', 'subject', 'reason']);
    expect(await row.execute()).toEqual([{ actor: 'server', subject: OWNER, reason: 'replaced' }]);
    await expectProblem(await first.post('verify', answer), 403, 'owner-link-over');
    await expectProblem(await first.post('open'), 403, 'owner-link-over');
    await second.post('open');
    await jsonOf(await second.enrol());
    expect(await people()).toHaveLength(1);
  });

  test('of 8 servers that start at once: all work, until one is used', async () => {
    const links = await Promise.all(Array.from({ length: 8 }, newLink));
    expect(new Set(links).size).toBe(8);
    const pages = links.map((link) => new LinkPage(link));
    for (const page of pages) await jsonOf(await page.post('open'));
    const answers = await Promise.all(pages.map((page) => page.answer(new SoftKey(server.origin))));
    const responses = await Promise.all(pages.map((page, index) => page.post('verify', answers[index])));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const refused of responses.filter(({ status }) => status !== 200)) {
      expect(await refused.clone().json()).toMatchObject({ title: expect.stringMatching(/^The server has its owner/) });
      await expectProblem(refused, 403, 'owner-link-over');
    }
    expect(await people()).toEqual([{ email: OWNER, role: 'owner' }]);
    expect(await openInvitations()).toEqual([]);
  });

  test('stays good at the next start while nobody has opened it, for 12 hours', async () => {
    const links = [await newLink()];
    moveClock(server, 12 * 3600_000 - 5_000);
    links.push(await newLink());
    moveClock(server, 12 * 3600_000 + 5_000);
    links.push(await newLink());
    const statuses = [];
    for (const link of links) statuses.push((await new LinkPage(link).post('open')).status);
    expect(statuses).toEqual([403, 403, 200]);
    expect(await openInvitations()).toEqual([OWNER]);
  });

  test('is good for 24 hours', async () => {
    const page = new LinkPage(await newLink());
    moveClock(server, 24 * 3600_000 - 5_000);
    await jsonOf(await page.post('open'));
    moveClock(server, 24 * 3600_000);
    await expectProblem(await page.post('options'), 403, 'owner-link-over');
  });

  test('is void once there is another owner, and at a start with another address or without the setting', async () => {
    const page = new LinkPage(await newLink());
    await page.post('open');
    const answer = await page.answer(new SoftKey(server.origin));
    await store()
      .insertInto('people')
      .values(personRow('p', 'promoted@example.com', { role: 'owner' }))
      .execute();
    await expectProblem(await page.post('verify', answer), 403, 'owner-link-over');
    await store().deleteFrom('people').execute();
    for (const ownerEmail of ['other@example.com', undefined]) {
      const link = await newLink();
      const context = { ...server.context, config: { ...server.context.config, ownerEmail } };
      expect((await offerOwnership(context))?.email).toBe(ownerEmail);
      await expectProblem(await new LinkPage(link).post('open'), 403, 'owner-link-over');
    }
  });

  test('is not made for somebody who is here already: they need another role', async () => {
    await store().insertInto('people').values(personRow('p', OWNER)).execute();
    expect(await offerOwnership(server.context)).toEqual({ email: OWNER, link: undefined });
    await expect(refuseBeforeOwner(store(), server.context.config)).rejects.toMatchObject({
      kind: 'owner-missing',
      message: expect.stringContaining(`vouch-server people promote ${OWNER}`),
    });
  });

  test('is not made while there is an owner, even one who is disabled and has no key', async () => {
    const state = { role: 'owner', disabled_at: 1 } as const;
    await store()
      .insertInto('people')
      .values(personRow('p', 'other@example.com', state))
      .execute();
    expect(await offerOwnership(server.context)).toBeUndefined();
  });
});

describe('before the first owner', () => {
  test('nobody else is invited, and the reason says what to do', async () => {
    await expect(refuseBeforeOwner(store(), server.context.config)).rejects.toMatchObject({
      kind: 'owner-missing',
      message: expect.stringContaining('Open the link that the server printed'),
    });
    await refuseBeforeOwner(store(), { ownerEmail: undefined });
  });

  test('nobody else enrols a key, whoever invited them; later the same invitation is good', async () => {
    const code = (await invite(store(), Date.now(), { email: newEmail(), role: 'owner' }, { actor: 'cli:root' })).code;
    const refused = await start(code);
    expect(await refused.clone().json()).toMatchObject({ detail: expect.stringContaining('still good') });
    await expectProblem(refused, 403, 'owner-missing');
    // A stranger learns nothing of it.
    await expectProblem(await start('0'.repeat(26)), 403, 'invitation-refused');
    const page = new LinkPage(await newLink());
    await page.post('open');
    await jsonOf(await page.enrol());
    await jsonOf(await start(code));
  });

  test('an enrolment that had begun stops at its last step', async () => {
    const { config } = server.context;
    const code = await inviteCode(server, newEmail());
    server.context.config = { ...config, ownerEmail: undefined };
    const enrolment = await Enrolment.open(server.origin, code);
    const answer = new SoftKey(server.origin).create(await enrolment.options());
    server.context.config = config;
    await expectProblem(await enrolment.post('verify', answer), 403, 'owner-missing');
    expect(await people()).toEqual([]);
  });

  test('no recovery is taken up either', async () => {
    const email = newEmail();
    await store().insertInto('people').values(personRow('p', email)).execute();
    await store().insertInto('keys').values(keyRow('k', 'p')).execute();
    const { code } = await invite(store(), Date.now(), { email, replaceKeys: true }, { actor: 'cli:root' });
    await expectProblem(await start(code), 403, 'owner-missing');
  });
});
