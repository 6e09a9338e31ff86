import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SoftKey } from '../soft-key.ts';
import {
  enrolPerson,
  expectProblem,
  jsonOf,
  keyNamesOf,
  moveClock,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';
import { AccountPage } from './account-page.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const MINUTE = 60_000;
const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';

const auditOf = (email: string, event: string) =>
  server.context.store
    .selectFrom('audit')
    .where('subject', '=', email)
    .where('event', '=', event)
    .orderBy('id')
    .selectAll()
    .execute();

const currentKeys = (email: string) =>
  server.context.store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .where('keys.removed_at', 'is', null)
    .select('keys.id')
    .execute();

/** Somebody with two keys, and with the page open, signed in with the first. */
async function withTwoKeys() {
  const { email, key: first } = await enrolPerson(server);
  const account = await AccountPage.signIn(server.origin, first);
  const second = new SoftKey(server.origin);
  await jsonOf(await account.addKey(second, 'Spare'));
  return { email, first, second, account };
}

describe('the list of keys', () => {
  test('has what tells them apart', async () => {
    const { first, second, account } = await withTwoKeys();
    const { keys } = await jsonOf<{ keys: unknown[] }>(await account.get('keys'));
    expect(keys).toEqual([
      {
        id: first.id,
        name: 'Security key',
        model: null,
        icon: null,
        addedAt: expect.stringMatching(/Z$/),
        lastUsedAt: expect.stringMatching(/Z$/),
        current: true,
        counts: true,
      },
      {
        id: second.id,
        name: 'Spare',
        model: null,
        icon: null,
        addedAt: expect.stringMatching(/Z$/),
        lastUsedAt: null,
        current: false,
        counts: true,
      },
    ]);
  });

  test('is the same for the terminal, which sees the key of its own sign-in as the present one', async () => {
    const { second, account } = await withTwoKeys();
    const { client, access_token } = await signIn(server.origin, second);
    const { keys } = await jsonOf<{ keys: { id: string; current: boolean }[] }>(
      await client.api('GET', '/api/keys', access_token),
    );
    expect(keys.map(({ id }) => id)).toEqual((await account.keys()).map(({ id }) => id));
    expect(keys.map(({ current }) => current)).toEqual([false, true]);
  });
});

describe('adding a key', () => {
  test('takes a touch of one that the person has, then the new one, which then signs in', async () => {
    const { email, first, second } = await withTwoKeys();
    expect(second.userHandle).toBe(first.userHandle);
    expect(await keyNamesOf(server, email)).toEqual(['Security key', 'Spare']);
    await signIn(server.origin, second);
    const [, row] = await auditOf(email, 'enrolled');
    const [began] = await auditOf(email, 'web-session-began');
    expect(row).toMatchObject({ actor: email, key_id: second.id, session_id: began?.session_id });
    expect(JSON.parse(row?.detail ?? '')).toMatchObject({ name: 'Spare', confirmedBy: first.id });
  });

  test('names it after its model, with a number if there is another of that name', async () => {
    const { email, account } = await withTwoKeys();
    await jsonOf(await account.addKey(new SoftKey(server.origin)));
    await jsonOf(await account.addKey(new SoftKey(server.origin), 'Spare'));
    expect(await keyNamesOf(server, email)).toEqual(['Security key', 'Spare', 'Security key 2', 'Spare 2']);
  });

  test('names its present keys, so that none is enrolled twice', async () => {
    const { first, second, account } = await withTwoKeys();
    const { excludeCredentials } = await jsonOf<{ excludeCredentials: { id: string }[] }>(
      await account.send('POST', 'keys/options'),
    );
    expect(excludeCredentials.map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
  });

  test('wants a touch of the last 5 minutes, and works again after one', async () => {
    const { key } = await enrolPerson(server);
    const account = await AccountPage.signIn(server.origin, key);
    moveClock(server, 5 * MINUTE + 1000);
    await expectProblem(await account.addKey(new SoftKey(server.origin)), 403, 'touch-needed');
    await jsonOf(await account.touch(key));
    await jsonOf(await account.addKey(new SoftKey(server.origin)));
  });

  test('does not count a touch from before the clock was set back', async () => {
    const { key } = await enrolPerson(server);
    const account = await AccountPage.signIn(server.origin, key);
    moveClock(server, -6 * MINUTE);
    await expectProblem(await account.addKey(new SoftKey(server.origin)), 403, 'touch-needed');
  });

  test('may take another 5 minutes once it has begun, for a new PIN', async () => {
    const { key } = await enrolPerson(server);
    const account = await AccountPage.signIn(server.origin, key);
    moveClock(server, 4 * MINUTE);
    const options = await jsonOf<never>(await account.send('POST', 'keys/options'));
    moveClock(server, 8 * MINUTE);
    await jsonOf(await account.send('POST', 'keys/verify', new SoftKey(server.origin).create(options)));
    moveClock(server, 9 * MINUTE);
    await expectProblem(
      await account.send('POST', 'keys/verify', new SoftKey(server.origin).create(options)),
      403,
      'challenge-used',
    );
  });

  test('accepts no challenge of another session, nor one of an assertion', async () => {
    const { key } = await enrolPerson(server);
    const mine = await AccountPage.signIn(server.origin, key);
    const other = await AccountPage.signIn(server.origin, key);
    const { challenge } = await jsonOf<{ challenge: string }>(await other.send('POST', 'keys/options'));
    const spare = new SoftKey(server.origin);
    await expectProblem(await mine.addKey(spare, 'Spare', { challenge }), 403, 'challenge-used');
    const touch = await jsonOf<{ challenge: string }>(await mine.send('POST', 'touch/options'));
    await expectProblem(await mine.addKey(spare, 'Spare', { challenge: touch.challenge }), 403, 'challenge-used');
  });

  test('is refused when the key does not check its user, and the refusal is counted', async () => {
    const { email, account } = await withTwoKeys();
    const spare = new SoftKey(server.origin);
    await expectProblem(await account.addKey(spare, 'x', { userVerified: false }), 403, 'user-not-verified');
    const windows = await server.context.store
      .selectFrom('audit_windows')
      .where('email', '=', email)
      .selectAll()
      .execute();
    expect(windows).toMatchObject([{ event: 'enrolment-refused', problem: 'user-not-verified', count: 1 }]);
  });

  test('is refused for a session that ended meanwhile', async () => {
    const { email, key } = await enrolPerson(server);
    const account = await AccountPage.signIn(server.origin, key);
    const answer = new SoftKey(server.origin).create(await jsonOf<never>(await account.send('POST', 'keys/options')));
    await account.send('POST', 'sign-out');
    await expectProblem(await account.send('POST', 'keys/verify', answer), 401, 'web-session-over');
    expect(await currentKeys(email)).toHaveLength(1);
  });

  test('stops at 20 keys', async () => {
    const { email, account } = await withTwoKeys();
    for (let count = 3; count <= 19; count += 1) await jsonOf(await account.addKey(new SoftKey(server.origin)));
    const options = [0, 1].map(async () => jsonOf<never>(await account.send('POST', 'keys/options')));
    const [first, second] = await Promise.all(options);
    await jsonOf(await account.send('POST', 'keys/verify', new SoftKey(server.origin).create(first as never)));
    const late = new SoftKey(server.origin).create(second as never);
    await expectProblem(await account.send('POST', 'keys/verify', late), 409, 'too-many-keys');
    await expectProblem(await account.send('POST', 'keys/options'), 409, 'too-many-keys');
    expect(await currentKeys(email)).toHaveLength(20);
  });

  test('takes a name that people can read, of at most 40 characters', async () => {
    const { account } = await withTwoKeys();
    for (const name of ['x'.repeat(41), 'a\u202eb', '', 7]) {
      const response = await account.addKey(new SoftKey(server.origin), name as string);
      await expectProblem(response, 400, 'bad-request');
    }
  });
});

describe('renaming a key', () => {
  test('works on the page and at the terminal, and is in the audit trail with both names', async () => {
    const { email, second, account } = await withTwoKeys();
    expect((await account.send('PATCH', `keys/${second.id}`, { name: 'In the safe' })).status).toBe(204);
    const { client, access_token } = await signIn(server.origin, second);
    const path = `/api/keys/${second.id}`;
    expect((await client.api('PATCH', path, access_token, { body: { name: 'At home' } })).status).toBe(204);
    expect(await keyNamesOf(server, email)).toEqual(['Security key', 'At home']);
    const rows = await auditOf(email, 'key-renamed');
    expect(rows.map(({ actor, key_id, detail }) => [actor, key_id, JSON.parse(detail)])).toEqual([
      [email, second.id, { name: 'In the safe', before: 'Spare' }],
      [email, second.id, { name: 'At home', before: 'In the safe' }],
    ]);
  });

  test('to the name that it has changes nothing; to that of another one is refused', async () => {
    const { email, second, account } = await withTwoKeys();
    expect((await account.send('PATCH', `keys/${second.id}`, { name: 'Spare' })).status).toBe(204);
    const response = await account.send('PATCH', `keys/${second.id}`, { name: 'Security key' });
    await expectProblem(response, 409, 'name-taken');
    expect(await auditOf(email, 'key-renamed')).toEqual([]);
  });

  test('may take the name of a key that was removed', async () => {
    const { second, account, first } = await withTwoKeys();
    await jsonOf(await account.addKey(new SoftKey(server.origin), 'Third'));
    await jsonOf(await account.send('DELETE', `keys/${second.id}`));
    expect((await account.send('PATCH', `keys/${first.id}`, { name: 'Spare' })).status).toBe(204);
  });

  for (const name of [undefined, null, 7, '', ' ', 'x'.repeat(41), 'a\nb', ['a']]) {
    test(`to ${JSON.stringify(name)} is refused`, async () => {
      const { second, account } = await withTwoKeys();
      await expectProblem(await account.send('PATCH', `keys/${second.id}`, { name }), 400, 'bad-request');
    });
  }

  test('of another person’s key, a removed one or none is one answer: 404', async () => {
    const mine = await withTwoKeys();
    const other = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, mine.first);
    await jsonOf(await mine.account.send('DELETE', `keys/${mine.second.id}`));
    for (const id of [other.key.id, mine.second.id, 'nothing', '%20']) {
      const body = { name: 'Mine now' };
      await expectProblem(await mine.account.send('PATCH', `keys/${id}`, body), 404, 'not-found');
      await expectProblem(await client.api('PATCH', `/api/keys/${id}`, access_token, { body }), 404, 'not-found');
      await expectProblem(await mine.account.send('DELETE', `keys/${id}`), 404, 'not-found');
      await expectProblem(await client.api('DELETE', `/api/keys/${id}`, access_token), 404, 'not-found');
    }
    expect(await keyNamesOf(server, other.email)).toEqual(['Security key']);
  });
});

describe('removing a key', () => {
  test('ends what it began, in terminals and in browsers, and nothing else', async () => {
    const { email, first, second, account } = await withTwoKeys();
    const spareTerminal = await signIn(server.origin, second);
    const spareBrowser = await AccountPage.signIn(server.origin, second);
    const terminal = await signIn(server.origin, first);
    await jsonOf(
      await spareTerminal.client.api('POST', '/api/aws/token', spareTerminal.access_token, { body: { role: ROLE } }),
    );
    const removal = await jsonOf(await account.send('DELETE', `keys/${second.id}`));
    expect(removal).toEqual({ sessions: 1, signedOut: false, awsCredentialsUntil: expect.stringMatching(/Z$/) });
    // A token of now is good for 6 minutes, and gives an hour.
    const until = Date.parse(String(removal.awsCredentialsUntil)) - Date.now();
    expect(until).toBeGreaterThan(64 * MINUTE);
    expect(until).toBeLessThanOrEqual(66 * MINUTE);

    const over = await spareTerminal.client.api('GET', '/api/session', spareTerminal.access_token);
    expect(over.status).toBe(401);
    await expectProblem(await spareBrowser.get('me'), 401, 'web-session-over');
    expect((await account.get('me')).status).toBe(200);
    expect((await terminal.client.api('GET', '/api/session', terminal.access_token)).status).toBe(200);
    await expectProblem(await (await SignIn.open(server.origin)).touch(second), 403, 'unknown-key');

    expect(await auditOf(email, 'key-removed')).toMatchObject([{ actor: email, key_id: second.id }]);
    expect(await auditOf(email, 'session-ended')).toMatchObject([
      { actor: email, reason: 'key-removed', session_id: decodeJwt(spareTerminal.access_token).sid },
    ]);
    expect(await auditOf(email, 'web-session-ended')).toMatchObject([{ actor: email, reason: 'key-removed' }]);
  });

  test('with which the page signed in signs it out, and takes the cookie back', async () => {
    const { first, account } = await withTwoKeys();
    const response = await account.send('DELETE', `keys/${first.id}`);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(account.browser.cookies).toEqual([]);
    expect(await jsonOf(response)).toMatchObject({ signedOut: true });
    await expectProblem(await account.get('me'), 401, 'web-session-over');
  });

  test('wants a touch of the last 5 minutes, on the page and at the terminal', async () => {
    const { email, first, second, account } = await withTwoKeys();
    const { client, access_token } = await signIn(server.origin, first);
    moveClock(server, 5 * MINUTE + 1000);
    await expectProblem(await account.send('DELETE', `keys/${second.id}`), 403, 'touch-needed');
    await expectProblem(await client.api('DELETE', `/api/keys/${second.id}`, access_token), 403, 'touch-needed');
    expect(await currentKeys(email)).toHaveLength(2);
    await jsonOf(await account.touch(first));
    await jsonOf(await account.send('DELETE', `keys/${second.id}`));
  });

  test('works at the terminal right after a login', async () => {
    const { email, first, second } = await withTwoKeys();
    const { client, access_token } = await signIn(server.origin, first);
    expect(await jsonOf(await client.api('DELETE', `/api/keys/${second.id}`, access_token))).toEqual({
      sessions: 0,
      signedOut: false,
      awsCredentialsUntil: null,
    });
    expect(await currentKeys(email)).toEqual([{ id: first.id }]);
  });

  test('is refused for the last one, which then still works', async () => {
    const { key } = await enrolPerson(server);
    const account = await AccountPage.signIn(server.origin, key);
    const response = await account.send('DELETE', `keys/${key.id}`);
    const { detail } = (await response.clone().json()) as { detail: string };
    expect(detail).toContain('you could not sign in any more. Add another one first');
    await expectProblem(response, 409, 'last-key');
    const { client, access_token } = await signIn(server.origin, key);
    await expectProblem(await client.api('DELETE', `/api/keys/${key.id}`, access_token), 409, 'last-key');
  });

  test('is refused for the last one that the rules on keys let sign in; one that they do not can go', async () => {
    const { email, first, second, account } = await withTwoKeys();
    await jsonOf(await account.addKey(new SoftKey(server.origin), 'Third'));
    const { keyPolicy, store } = server.context;
    // The rules allow one model now, and only the first key is one.
    const model = 'cb69481e-8ff7-4039-93ec-0a2729a154a8';
    await store.updateTable('keys').set({ aaguid: model }).where('id', '=', first.id).execute();
    server.context.keyPolicy = () => ({ ...keyPolicy(), allowed: new Set([model]) });
    try {
      const { keys } = await jsonOf<{ keys: { counts: boolean }[] }>(await account.get('keys'));
      expect(keys.map(({ counts }) => counts)).toEqual([true, false, false]);
      await expectProblem(await account.send('DELETE', `keys/${first.id}`), 409, 'last-key');
      await jsonOf(await account.send('DELETE', `keys/${second.id}`));
      expect(await currentKeys(email)).toHaveLength(2);
    } finally {
      server.context.keyPolicy = keyPolicy;
    }
  });

  test('of the two last ones at the same moment is refused for one of them', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { email, first, second, account } = await withTwoKeys();
      const other = await AccountPage.signIn(server.origin, second);
      const responses = await Promise.all([
        account.send('DELETE', `keys/${second.id}`),
        other.send('DELETE', `keys/${first.id}`),
      ]);
      // The other one is refused as the last key's removal, or because its session ended with its key.
      expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(await currentKeys(email)).toHaveLength(1);
    }
  });

  test('of both by one page at the same moment too', async () => {
    const { email, first, second, account } = await withTwoKeys();
    await jsonOf(await account.addKey(new SoftKey(server.origin), 'Third'));
    const [third] = (await account.keys()).filter(({ name }) => name === 'Third');
    await jsonOf(await account.send('DELETE', `keys/${second.id}`));
    const responses = await Promise.all([third?.id, first.id].map((id) => account.send('DELETE', `keys/${id}`)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await currentKeys(email)).toHaveLength(1);
  });
});
