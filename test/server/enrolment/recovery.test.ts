import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invite } from '../../../server/invitations/invite.ts';
import { Browser } from '../browser.ts';
import { addAudit } from '../rows.ts';
import { SoftKey } from '../soft-key.ts';
import {
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  moveClock,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';
import { addTrigger } from '../triggers.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const store = () => server.context.store;

async function recoveryCode(email: string): Promise<string> {
  return (await invite(store(), server.context.now(), { email, replaceKeys: true }, { actor: 'cli:root' })).code;
}

/** The IDs of the person's keys that work. */
async function keysOf(email: string): Promise<string[]> {
  const rows = await store()
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .where('keys.removed_at', 'is', null)
    .select('keys.id')
    .orderBy('keys.created_at')
    .execute();
  return rows.map(({ id }) => id);
}

/** What the audit trail has about a person, from the recovery's invitation on. */
async function auditOf(email: string) {
  const rows = await store().selectFrom('audit').selectAll().where('subject', '=', email).orderBy('id').execute();
  return rows.slice(rows.findLastIndex(({ event }) => event === 'invited') + 1);
}

/** Undoes what voids the person's other invitations, for what the server must also bear. */
async function reopenInvitations(email: string): Promise<void> {
  await store().updateTable('invitations').set({ revoked_at: null }).where('email', '=', email).execute();
}

const answerOf = async (enrolment: Enrolment, key = new SoftKey(server.origin)) => ({
  key,
  answer: key.create(await enrolment.options()),
});

describe('a recovery', () => {
  test('puts a new key in the place of all old ones, and ends what they had begun', async () => {
    const { email, key } = await enrolPerson(server);
    const other = await enrolPerson(server);
    const second = new SoftKey(server.origin);
    const further = await Enrolment.open(server.origin, await inviteCode(server, email));
    await further.confirm(key);
    await jsonOf(await further.register(second));
    const sessions = [await signIn(server.origin, key), await signIn(server.origin, second)];
    const others = await signIn(server.origin, other.key);
    await addWebSession(email, key.id);
    await addWebSession(other.email, other.key.id);

    const code = await recoveryCode(email);
    const names = [
      { name: 'Security key', model: null },
      { name: 'Security key 2', model: null },
    ];
    const started = await new Browser(server.origin).post('/enroll/start', { invitation: code, machine: 'new' });
    expect(await jsonOf(started)).toMatchObject({ email, replaces: names });
    const enrolment = await Enrolment.start(server.origin, code);
    const { words } = await jsonOf<{ words: string }>(await enrolment.post('open'));
    // Before the terminal has approved, a page learns nothing.
    expect(await jsonOf(await enrolment.post('open'))).not.toHaveProperty('replaces');
    await enrolment.answer('approve', words);
    expect(await jsonOf(await enrolment.post('open'))).toMatchObject({ needsConfirmation: false, replaces: names });
    // The new credential may be on the authenticator of an old one.
    expect(await enrolment.options()).toMatchObject({ excludeCredentials: [] });
    const recovered = new SoftKey(server.origin);
    const issued = {
      event: 'aws-token-issued',
      actor: email,
      subject: email,
      detail: { role: 'a', jti: 'b' },
    } as const;
    await addAudit(store(), Date.now(), issued);
    const enrolled = await jsonOf(await enrolment.register(recovered));
    expect(enrolled).toMatchObject({ email, key: { name: 'Security key 3', model: null } });
    // What AWS has issued outlasts the sessions: the page and the terminal say until when.
    expect(Date.parse(String(enrolled.awsCredentialsUntil))).toBeGreaterThan(Date.now() + 3600_000);
    expect(await jsonOf(await enrolment.status())).toEqual({ state: 'done', ...enrolled });

    expect(await keysOf(email)).toEqual([recovered.id]);
    // The same person: the user handle stays.
    expect(recovered.userHandle).toBe(key.userHandle);
    for (const { client, access_token } of sessions) {
      await expectProblem(await client.api('GET', '/api/session', access_token), 401, 'session-over');
    }
    for (const lost of [key, second]) {
      await expectProblem(await (await SignIn.open(server.origin)).touch(lost), 403, 'unknown-key');
    }
    await signIn(server.origin, recovered);
    await jsonOf(await others.client.api('GET', '/api/session', others.access_token));
    expect(await webSessions()).toEqual([other.email]);

    const rows = (await auditOf(email)).filter(({ event }) => !['aws-token-issued', 'signed-in'].includes(event));
    expect(rows.map(({ event, reason, key_id }) => [event, reason, key_id])).toEqual([
      ['key-removed', 'keys-replaced', key.id],
      ['session-ended', 'keys-replaced', key.id],
      ['key-removed', 'keys-replaced', second.id],
      ['session-ended', 'keys-replaced', second.id],
      ['enrolled', null, recovered.id],
    ]);
    for (const row of rows) expect(row).toMatchObject({ actor: email, request_id: expect.any(String) });
    expect(JSON.parse(rows.at(-1)?.detail ?? '')).toMatchObject({ replaced: 2 });
    const ended = await store().selectFrom('sessions').where('end_reason', '=', 'keys-replaced').selectAll().execute();
    expect(ended).toHaveLength(2);
  });

  test('needs no confirmation by an old key, and offers none', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await recoveryCode(email));
    const offered = await enrolment.post('confirm/options');
    expect([offered.status, (await offered.json()) as unknown]).toMatchObject([
      409,
      { title: 'There is no key to confirm with' },
    ]);
    expect(await jsonOf(await enrolment.register(new SoftKey(server.origin)))).toMatchObject({
      awsCredentialsUntil: null,
    });
    expect(await keysOf(email)).not.toContain(key.id);
  });

  test('works once', async () => {
    const { email } = await enrolPerson(server);
    const code = await recoveryCode(email);
    const enrolment = await Enrolment.open(server.origin, code);
    const { key, answer } = await answerOf(enrolment);
    await jsonOf(await enrolment.post('verify', answer));
    await expectProblem(await enrolment.post('verify', answer), 403, 'invitation-refused');
    const again = await new Browser(server.origin).post('/enroll/start', { invitation: code });
    await expectProblem(again, 403, 'invitation-refused');
    expect(await keysOf(email)).toEqual([key.id]);
  });

  test('is over after 24 hours, even in the middle, and the old key stays', async () => {
    const { email, key } = await enrolPerson(server);
    const code = await recoveryCode(email);
    moveClock(server, 24 * 3600_000 - 60_000);
    const enrolment = await Enrolment.open(server.origin, code);
    const { answer } = await answerOf(enrolment);
    moveClock(server, 24 * 3600_000);
    await expectProblem(await enrolment.post('verify', answer), 403, 'invitation-refused');
    const late = await new Browser(server.origin).post('/enroll/start', { invitation: code });
    await expectProblem(late, 403, 'invitation-refused');
    expect(await keysOf(email)).toEqual([key.id]);
  });

  test('refused at the last step changes nothing', async () => {
    const { email, key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);
    const enrolment = await Enrolment.open(server.origin, await recoveryCode(email));
    await expectProblem(
      await enrolment.register(new SoftKey(server.origin), { userVerified: false }),
      403,
      'user-not-verified',
    );
    // A credential that another person has.
    const other = await enrolPerson(server);
    await expectProblem(await enrolment.register(other.key), 403, 'key-refused');
    expect(await keysOf(email)).toEqual([key.id]);
    await jsonOf(await client.api('GET', '/api/session', access_token));
    await jsonOf(await enrolment.register(new SoftKey(server.origin)));
  });

  test('at its own old credential is refused: it must be a new one', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await recoveryCode(email));
    await expectProblem(await enrolment.register(key), 403, 'key-refused');
    expect(await keysOf(email)).toEqual([key.id]);
  });

  test('whose transaction fails at any of its statements leaves the old key, and its invitation', async () => {
    const { email, key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);
    const enrolment = await Enrolment.open(server.origin, await recoveryCode(email));
    const statements = [
      'update of used_at on invitations',
      'update of removed_at on keys',
      'update of revoked_at on sessions',
      'insert on keys',
      'update of key_id on enrolments',
      'insert on audit: key-removed',
      'insert on audit: session-ended',
      'insert on audit: enrolled',
      'update of last_hash on audit_head',
    ];
    for (const statement of statements) {
      const [event, name] = statement.split(': ');
      const when = name === undefined ? {} : { when: `new.event = '${name}'` };
      const remove = await addTrigger(server.context, `after ${event}`, { ...when, fail: 'no' });
      const { answer } = await answerOf(enrolment);
      await expectProblem(await enrolment.post('verify', answer), 500, 'internal-error');
      await remove();
      expect([statement, await keysOf(email)]).toEqual([statement, [key.id]]);
      await jsonOf(await client.api('GET', '/api/session', access_token));
    }
    const { answer, key: made } = await answerOf(enrolment);
    await jsonOf(await enrolment.post('verify', answer));
    expect(await keysOf(email)).toEqual([made.id]);
  });
});

describe('a recovery that something overtakes', () => {
  test('of 5 at once with one code, one wins, and the person has its key alone', async () => {
    const { email } = await enrolPerson(server);
    const code = await recoveryCode(email);
    const racers = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const enrolment = await Enrolment.open(server.origin, code);
        return { enrolment, ...(await answerOf(enrolment)) };
      }),
    );
    const responses = await Promise.all(racers.map(({ enrolment, answer }) => enrolment.post('verify', answer)));
    const won = racers.filter((_, index) => responses[index]?.status === 200);
    expect(won).toHaveLength(1);
    for (const response of responses) {
      if (response.status !== 200) await expectProblem(response, 403, 'invitation-refused');
    }
    expect(await keysOf(email)).toEqual([won[0]?.key.id]);
    // The losers' terminals learn it too.
    for (const { enrolment } of racers) {
      if (enrolment !== won[0]?.enrolment) await expectProblem(await enrolment.status(), 404, 'interaction-over');
    }
  });

  const replacements: [string, (email: string) => Promise<unknown>][] = [
    [
      'revoked',
      (email) => store().updateTable('invitations').set({ revoked_at: 1 }).where('email', '=', email).execute(),
    ],
    ['replaced by an ordinary invitation', (email) => inviteCode(server, email)],
    ['replaced by another recovery', recoveryCode],
  ];
  for (const [what, act] of replacements) {
    test(`${what} stops at its last step`, async () => {
      const { email, key } = await enrolPerson(server);
      const enrolment = await Enrolment.open(server.origin, await recoveryCode(email));
      const { answer } = await answerOf(enrolment);
      await act(email);
      await expectProblem(await enrolment.post('verify', answer), 403, 'invitation-refused');
      await expectProblem(await enrolment.status(), 404, 'interaction-over');
      expect(await keysOf(email)).toEqual([key.id]);
    });
  }

  test('is refused for somebody who is disabled meanwhile, and for one who was removed', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await recoveryCode(email));
    const { answer } = await answerOf(enrolment);
    await store().updateTable('people').set({ disabled_at: 1 }).where('email', '=', email).execute();
    await expectProblem(await enrolment.post('verify', answer), 403, 'person-shut-out');
    expect(await keysOf(email)).toEqual([key.id]);
    await store().deleteFrom('keys').where('id', '=', key.id).execute();
    await store().deleteFrom('people').where('email', '=', email).execute();
    const late = await answerOf(enrolment);
    await expectProblem(await enrolment.post('verify', late.answer), 403, 'invitation-refused');
    expect(await store().selectFrom('people').where('email', '=', email).select('id').execute()).toEqual([]);
  });

  test('goes on for somebody whose keys have all been removed meanwhile', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await recoveryCode(email));
    await store().updateTable('keys').set({ removed_at: 1 }).where('id', '=', key.id).execute();
    const { answer, key: made } = await answerOf(enrolment);
    await jsonOf(await enrolment.post('verify', answer));
    expect(await keysOf(email)).toEqual([made.id]);
  });
});

describe('a recovery and an ordinary enrolment of the same person', () => {
  test('the ordinary one was confirmed by a key that the recovery removed: it is refused', async () => {
    const { email, key } = await enrolPerson(server);
    const ordinary = await Enrolment.open(server.origin, await inviteCode(server, email));
    await jsonOf(await ordinary.confirm(key));
    const late = await answerOf(ordinary);
    const recovery = await Enrolment.open(server.origin, await recoveryCode(email));
    await reopenInvitations(email);
    const { answer, key: made } = await answerOf(recovery);
    await jsonOf(await recovery.post('verify', answer));
    // With the old keys it became void, too.
    await reopenInvitations(email);
    await expectProblem(await ordinary.post('verify', late.answer), 403, 'confirmation-needed');
    expect(await keysOf(email)).toEqual([made.id]);
  });

  test('at the same moment leave the recovered key alone, whoever comes first', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { email, key } = await enrolPerson(server);
      const ordinary = await Enrolment.open(server.origin, await inviteCode(server, email));
      await jsonOf(await ordinary.confirm(key));
      const recovery = await Enrolment.open(server.origin, await recoveryCode(email));
      await reopenInvitations(email);
      const [further, recovered] = [await answerOf(ordinary), await answerOf(recovery)];
      const pair = [() => ordinary.post('verify', further.answer), () => recovery.post('verify', recovered.answer)];
      await Promise.all((round % 2 === 0 ? pair : pair.reverse()).map((send) => send()));
      expect(await keysOf(email)).toEqual([recovered.key.id]);
    }
  });

  test('an ordinary one never becomes a recovery, nor the reverse, whichever invitation is open now', async () => {
    const { email, key } = await enrolPerson(server);
    const ordinary = await Enrolment.open(server.origin, await inviteCode(server, email));
    const recovery = await Enrolment.open(server.origin, await recoveryCode(email));
    await expectProblem(await ordinary.post('options'), 403, 'invitation-refused');
    await reopenInvitations(email);
    await expectProblem(await ordinary.post('options'), 403, 'confirmation-needed');
    expect(await jsonOf(await ordinary.post('open'))).not.toHaveProperty('replaces');
    // An answer for one enrolment is worth nothing in the other.
    const { answer } = await answerOf(recovery);
    await expectProblem(await ordinary.post('verify', answer), 403, 'challenge-used');
    await jsonOf(await ordinary.confirm(key));
    const { answer: mine, key: second } = await answerOf(ordinary);
    await jsonOf(await ordinary.post('verify', mine));
    expect(await keysOf(email)).toEqual([key.id, second.id]);
  });
});

async function addWebSession(email: string, keyId: string): Promise<void> {
  const { id } = await store().selectFrom('people').where('email', '=', email).select('id').executeTakeFirstOrThrow();
  const row = { browser: null, ip: null, touched_at: 1, seen_at: 1, expires_at: 8_000_000_000_000 };
  await store()
    .insertInto('web_sessions')
    .values({ id: `of ${email}`, cookie_hash: email, page_hash: email, person_id: id, key_id: keyId, ...row })
    .execute();
}

async function webSessions(): Promise<string[]> {
  return (await store().selectFrom('web_sessions').select('cookie_hash').execute()).map((row) => row.cookie_hash);
}
