import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from '../browser.ts';
import { type Ceremony, SoftKey } from '../soft-key.ts';
import {
  countPeople,
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  keyNamesOf,
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

describe('an enrolment', () => {
  test('of a second key gets a new page secret at the touch of the first key, and the old one is worthless', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const before = enrolment.page ?? '';
    await jsonOf(await enrolment.confirm(key));
    expect(enrolment.page).not.toBe(before);
    for (const step of ['open', 'options', 'verify', 'confirm/options']) {
      const old = await new Browser(server.origin).post(
        `/enroll/${enrolment.ticket}/${step}`,
        new SoftKey(server.origin).create({ challenge: 'AAAA', rp: {}, user: { id: 'AAAA' } } as never),
        { 'vouch-page': before },
      );
      await expectProblem(old, 403, 'other-browser');
    }
    await jsonOf(await enrolment.register(new SoftKey(server.origin)));
    expect(await keyNamesOf(server, email)).toHaveLength(2);
  });
});

describe('a second key', () => {
  test('needs a touch of the first', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    expect(await jsonOf(await enrolment.post('open'))).toMatchObject({ needsConfirmation: true });
    await expectProblem(await enrolment.post('options'), 403, 'confirmation-needed');
    const confirmation = await jsonOf<{ allowCredentials: { id: string }[] }>(await enrolment.post('confirm/options'));
    expect(confirmation.allowCredentials.map((item) => item.id)).toEqual([key.id]);

    await jsonOf(await enrolment.confirm(key));
    expect(await jsonOf(await enrolment.post('open'))).toMatchObject({ needsConfirmation: false });
    const second = new SoftKey(server.origin);
    await jsonOf(await enrolment.register(second));
    expect(await keyNamesOf(server, email)).toEqual(['Security key', 'Security key 2']);
    const row = server.context.store
      .selectFrom('audit')
      .where('key_id', '=', second.id)
      .where('event', '=', 'enrolled');
    const { detail } = await row.select('detail').executeTakeFirstOrThrow();
    expect(JSON.parse(detail)).toMatchObject({ name: 'Security key 2', confirmedBy: key.id });
    // Both keys have the same user handle.
    expect(second.userHandle).toBe(key.userHandle);
    await signIn(server.origin, second);
    await signIn(server.origin, key);
  });

  test('accepts no challenge of the confirmation for the registration, nor the other way round', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await enrolment.confirm(key);
    const confirm = await jsonOf<{ challenge: string }>(await enrolment.post('confirm/options'));
    const second = new SoftKey(server.origin);
    const response = await enrolment.register(second, { challenge: confirm.challenge });
    await expectProblem(response, 403, 'challenge-used');
    const { challenge } = await enrolment.options();
    await expectProblem(await enrolment.confirm(key, { challenge }), 403, 'challenge-used');
  });

  test('is confirmed by a key that does not name its user: it was asked for by its ID', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await jsonOf(await enrolment.confirm(key, { userHandle: null }));
  });

  test('is not confirmed by another person’s key', async () => {
    const { email } = await enrolPerson(server);
    const other = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await expectProblem(await enrolment.confirm(other.key), 403, 'unknown-key');
    await expectProblem(await enrolment.post('options'), 403, 'confirmation-needed');
    expect(await keyNamesOf(server, email)).toHaveLength(1);
  });

  const wrong: [string, Ceremony, string][] = [
    ['without user verification', { userVerified: false }, 'user-not-verified'],
    ['with a bad signature', { badSignature: true }, 'assertion-refused'],
    ['from another origin', { origin: 'https://evil.example' }, 'assertion-refused'],
    ['with a counter that went back', { counter: 1 }, 'counter-went-back'],
  ];
  for (const [name, how, problem] of wrong) {
    test(`is not confirmed ${name}`, async () => {
      const { email, key } = await enrolPerson(server);
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
      await expectProblem(await enrolment.confirm(key, how), 403, problem);
      await expectProblem(await enrolment.post('options'), 403, 'confirmation-needed');
    });
  }

  test('is not enrolled if the key that confirmed it has been removed since, even if another is there', async () => {
    const { email, key } = await enrolPerson(server);
    const first = await Enrolment.open(server.origin, await inviteCode(server, email));
    await first.confirm(key);
    await jsonOf(await first.register(new SoftKey(server.origin)));
    const second = await Enrolment.open(server.origin, await inviteCode(server, email));
    await second.confirm(key);
    await server.context.store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', key.id).execute();
    await expectProblem(await second.post('options'), 403, 'confirmation-needed');
  });

  test('needs confirmation even if two first keys of a new person come at the same moment', async () => {
    const email = newEmail();
    const { store } = server.context;
    const first = await Enrolment.open(server.origin, await inviteCode(server, email));
    const second = await Enrolment.open(server.origin, await inviteCode(server, email));
    // The second invitation voided the first: undo that.
    await store.updateTable('invitations').set({ revoked_at: null }).where('email', '=', email).execute();
    const answers = await Promise.all(
      [first, second].map(async (enrolment) => new SoftKey(server.origin).create(await enrolment.options())),
    );
    const responses = await Promise.all([first.post('verify', answers[0]), second.post('verify', answers[1])]);
    expect(responses.map((response) => response.status).sort()).toEqual([200, 403]);
    for (const response of responses) {
      if (response.status === 403) await expectProblem(response, 403, 'confirmation-needed');
    }
    expect(await countPeople(server, email)).toBe(1);
    expect(await keyNamesOf(server, email)).toHaveLength(1);
    const open = await store
      .selectFrom('invitations')
      .where('email', '=', email)
      .where('used_at', 'is', null)
      .select('id')
      .execute();
    expect(open).toHaveLength(1);
  });
});
