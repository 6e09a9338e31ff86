import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { offerOwnership } from '../../server/enrolment/first-owner.ts';
import { invite } from '../../server/invitations/invite.ts';
import { demote } from '../../server/people/roles.ts';
import { AccountPage } from './account/account-page.ts';
import { Browser } from './browser.ts';
import { CliClient } from './cli-client.ts';
import { type Pair, startPair } from './pair.ts';
import { keyRow, personRow } from './rows.ts';
import { SoftKey } from './soft-key.ts';
import {
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  newEmail,
  SignIn,
  signIn,
  type Tokens,
} from './support.ts';

/** How many requests race, each at the other instance than the one before. */
const RACERS = 50;

/** Sends one request for each racer at the same moment. */
function race<Result>(send: (racer: number) => Promise<Result>, racers = RACERS): Promise<Result[]> {
  return Promise.all(Array.from({ length: racers }, (_, racer) => send(racer)));
}

/** Prepares something for each racer, one after the other. */
async function forEach<Prepared>(prepare: (racer: number) => Promise<Prepared>, racers = RACERS): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (let racer = 0; racer < racers; racer += 1) prepared.push(await prepare(racer));
  return prepared;
}

/**
 * Expects one answer to be good, and the others to be refused.
 *
 * @param refused the only problems (RFC 9457), or OAuth errors, that the others may get
 * @returns the good one
 */
async function expectOneOf(responses: Response[], ...refused: string[]): Promise<Response> {
  const won = responses.filter(({ ok }) => ok);
  expect(won.map(({ status }) => status)).toHaveLength(1);
  const lost = await Promise.all(responses.filter(({ ok }) => !ok).map((response) => response.json()));
  for (const { type, error } of lost as { type?: string; error?: string }[]) {
    expect(refused).toContain(error ?? type?.replace('urn:vouch:problem:', ''));
  }
  return won[0] as Response;
}

describe('of 50 requests to two instances at the same moment', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(() => pair.close());

  const store = () => pair.context.store;
  const count = async (event: string, subject: string) => {
    const rows = await store()
      .selectFrom('audit')
      .where('event', '=', event)
      .where('subject', '=', subject)
      .select('id')
      .execute();
    return rows.length;
  };
  /** Somebody whose key does not count its signatures, so that only what races decides. */
  const enrol = () => enrolPerson(pair, { counts: false });

  test('an authorization code gives one a token, and the others end its session', async () => {
    const { key } = await enrol();
    const page = await SignIn.open(pair.origin);
    const code = await page.code(key);
    const proofs = await forEach(() => page.client.proof('POST', '/token'));
    const responses = await race((racer) => page.client.redeem(code, {}, proofs[racer] ?? null));
    const { access_token } = await jsonOf<Tokens>(await expectOneOf(responses, 'invalid_grant'));
    const told = await page.client.api('GET', '/api/session', access_token);
    await expectProblem(told, 401, 'session-over', { reason: 'code-replayed' });
  });

  test('a pushed request leads one page to a code', async () => {
    const { email, key } = await enrol();
    const client = await CliClient.create(pair.origin);
    const path = await client.authorizationPath();
    const pages = await forEach(() => SignIn.openPath(new Browser(pair.origin), client, path));
    const answers = await forEach(async (racer) => key.get((await pages[racer]?.options()) as never));
    await expectOneOf(
      await race((racer) => (pages[racer] as SignIn).post('verify', answers[racer])),
      'interaction-over',
    );
    const sessions = await store()
      .selectFrom('sessions')
      .innerJoin('people', 'people.id', 'sessions.person_id')
      .where('people.email', '=', email)
      .where('revoked_at', 'is', null)
      .select('sessions.id')
      .execute();
    expect(sessions).toHaveLength(1);
  });

  test('a challenge begins one web session', async () => {
    const { email, key } = await enrol();
    const account = new AccountPage(pair.origin);
    const answer = key.get((await jsonOf(await account.send('POST', 'sign-in/options'))) as never);
    await expectOneOf(await race(() => account.send('POST', 'sign-in/verify', answer)), 'challenge-used');
    expect(await count('web-session-began', email)).toBe(1);
  });

  test('a page leads one of its challenges to a code', async () => {
    const { email, key } = await enrol();
    const page = await SignIn.open(pair.origin);
    const answers = await forEach(async () => key.get(await page.options()));
    await expectOneOf(await race((racer) => page.post('verify', answers[racer])), 'interaction-over');
    expect(await count('signed-in', email)).toBe(1);
  });

  test('a value of a counter lets one sign in', async () => {
    const { email, key } = await enrolPerson(pair);
    const pages = await forEach(async () => new AccountPage(pair.origin));
    const answers = await forEach(async (racer) => {
      const options = await pages[racer]?.send('POST', 'sign-in/options');
      return key.get((await jsonOf(options as Response)) as never, { counter: 99 });
    });
    const send = (racer: number) => (pages[racer] as AccountPage).send('POST', 'sign-in/verify', answers[racer]);
    await expectOneOf(await race(send), 'counter-went-back');
    expect(await count('web-session-began', email)).toBe(1);
  });

  test('a challenge enrols one key', async () => {
    const email = newEmail();
    const enrolment = await Enrolment.open(pair.origin, await inviteCode(pair, email));
    const answer = new SoftKey(pair.origin).create(await enrolment.options());
    await expectOneOf(await race(() => enrolment.post('verify', answer)), 'challenge-used', 'invitation-refused');
    expect(await count('enrolled', email)).toBe(1);
  });

  test('an invitation enrols one key, and makes one person', async () => {
    const email = newEmail();
    const invitation = await inviteCode(pair, email);
    const start = () => new Browser(pair.origin).post('/enroll/start', { invitation, page: true });
    const begun = await forEach(async () => jsonOf<{ ticket: string; page: string }>(await start()));
    const post = (racer: number, step: string, body: unknown = {}) => {
      const { ticket = '', page = '' } = begun[racer] ?? {};
      return new Browser(pair.origin).post(`/enroll/${ticket}/${step}`, body, { 'vouch-page': page });
    };
    const answers = await forEach(async (racer) =>
      new SoftKey(pair.origin).create((await jsonOf(await post(racer, 'options'))) as never),
    );
    await expectOneOf(await race((racer) => post(racer, 'verify', answers[racer])), 'invitation-refused');
    expect(await store().selectFrom('people').where('email', '=', email).select('id').execute()).toHaveLength(1);
    expect(await count('enrolled', email)).toBe(1);
  });

  test('an address keeps one open invitation', async () => {
    const email = newEmail();
    const stores = pair.instances.map(({ context }) => context.store);
    const made = await race((racer) =>
      invite(stores[racer % 2] as never, Date.now(), { email }, { actor: 'cli:root' }),
    );
    expect(new Set(made.map(({ code }) => code)).size).toBe(RACERS);
    const open = await store()
      .selectFrom('invitations')
      .where('email', '=', email)
      .where('revoked_at', 'is', null)
      .select('id')
      .execute();
    expect(open).toHaveLength(1);
    expect(await count('invited', email)).toBe(RACERS);
    expect(await count('invitation-revoked', email)).toBe(RACERS - 1);
  });

  test('an enrolment belongs to one page', async () => {
    const { ticket } = await Enrolment.start(pair.origin, await inviteCode(pair, newEmail()));
    const browsers = await forEach(async () => new Browser(pair.origin));
    await expectOneOf(
      await race((racer) => (browsers[racer] as Browser).post(`/enroll/${ticket}/open`)),
      'other-browser',
    );
  });

  test('a DPoP proof is good for one at /token', async () => {
    const { key } = await enrol();
    const client = await CliClient.create(pair.origin);
    // Ten codes, each five times: a code alone would let ten through.
    const codes = await race(async () => {
      const page = await SignIn.openPath(new Browser(pair.origin), client, await client.authorizationPath());
      return page.code(key);
    }, 10);
    const proof = await client.proof('POST', '/token');
    const responses = await race((racer) => client.redeem(codes[racer % 10] ?? '', {}, proof));
    await expectOneOf(responses, 'invalid_dpop_proof', 'invalid_grant');
  });

  test('a DPoP proof is good for one at the API', async () => {
    const { key } = await enrol();
    const { client, access_token } = await signIn(pair.origin, key);
    const proof = await client.proof('GET', '/api/session', { token: access_token });
    await expectOneOf(await race(() => client.api('GET', '/api/session', access_token, { proof })), 'token-refused');
  });

  test('a touch renews a web session for one', async () => {
    const { email, key } = await enrol();
    const account = await AccountPage.signIn(pair.origin, key);
    const answers = await forEach(async () =>
      key.get((await jsonOf(await account.send('POST', 'touch/options'))) as never),
    );
    const responses = await race((racer) => account.send('POST', 'touch/verify', answers[racer]));
    await expectOneOf(responses, 'web-session-over');
    expect(await count('web-session-renewed', email)).toBe(1);
  });

  /** A browser of somebody who has this many keys. */
  const withKeys = async (keys: number) => {
    const { email, key } = await enrol();
    const account = await AccountPage.signIn(pair.origin, key);
    const { id } = await store().selectFrom('people').where('email', '=', email).select('id').executeTakeFirstOrThrow();
    const rows = Array.from({ length: keys - 1 }, (_, index) => ({
      ...keyRow(`${email} ${index}`, id),
      name: `Key ${index}`,
    }));
    await store().insertInto('keys').values(rows).execute();
    return { email, account, ids: [key.id, ...rows.map((row) => row.id)] };
  };
  const path = (id: string | undefined) => `keys/${encodeURIComponent(id ?? '')}`;

  test('one gives a key a name that the others want too', async () => {
    const { email, account, ids } = await withKeys(20);
    const responses = await race((racer) => account.send('PATCH', path(ids[racer]), { name: 'Work' }), 20);
    await expectOneOf(responses, 'name-taken');
    const keys = await account.keys();
    expect(keys.filter(({ name }) => name === 'Work')).toHaveLength(1);
    expect(await count('key-renamed', email)).toBe(1);
  });

  test('all keys but one are removed', async () => {
    const { account, ids } = await withKeys(20);
    // The first is the session's own: with it goes the session, and the requests that come after.
    const responses = await race((racer) => account.send('DELETE', path(ids[1 + (racer % 19)])), 38);
    expect(responses.filter(({ ok }) => ok)).toHaveLength(19);
    await expectProblem(await account.send('DELETE', path(ids[0])), 409, 'last-key');
    expect(await account.keys()).toHaveLength(1);
  });

  test('one of two owners stays', async () => {
    const emails = [newEmail(), newEmail()];
    for (const email of emails) {
      await store()
        .insertInto('people')
        .values(personRow(email, email, { role: 'owner' }))
        .execute();
      await store()
        .insertInto('keys')
        .values(keyRow(`key of ${email}`, email))
        .execute();
    }
    const stores = pair.instances.map(({ context }) => context.store);
    await Promise.allSettled(
      Array.from({ length: RACERS }, (_, racer) =>
        // Both instances demote both.
        stores[racer % 2]
          ?.transaction()
          .execute((transaction) =>
            demote(transaction, Date.now(), String(emails[(racer >> 1) % 2]), { actor: 'cli:root' }),
          ),
      ),
    );
    const owners = await store().selectFrom('people').where('role', '=', 'owner').select('email').execute();
    expect(owners).toHaveLength(1);
    await store().updateTable('people').set({ role: 'member' }).execute();
  });

  test('a first owner’s link belongs to one page, and all links make one owner', async () => {
    const context = { ...pair.context, config: { ...pair.context.config, ownerEmail: newEmail() } };
    const links = await forEach(async () => new URL((await offerOwnership(context))?.link ?? '').pathname);
    const [link] = links;
    const opened = await race(() => new Browser(pair.origin).post(`${link}/open`));
    const { page } = await jsonOf<{ page: string }>(await expectOneOf(opened, 'owner-link-over'));
    const pages = [page];
    for (const other of links.slice(1)) {
      pages.push((await jsonOf<{ page: string }>(await new Browser(pair.origin).post(`${other}/open`))).page);
    }
    const post = (racer: number, step: string, body: unknown = {}) =>
      new Browser(pair.origin).post(`${links[racer]}/${step}`, body, { 'vouch-page': String(pages[racer]) });
    const answers = await forEach(async (racer) =>
      new SoftKey(pair.origin).create((await jsonOf(await post(racer, 'options'))) as never),
    );
    await expectOneOf(await race((racer) => post(racer, 'verify', answers[racer])), 'owner-link-over');
    expect(await store().selectFrom('people').where('role', '=', 'owner').select('id').execute()).toHaveLength(1);
    await store().updateTable('people').set({ role: 'member' }).execute();
  });
});
