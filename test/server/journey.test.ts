import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AccountPage } from './account/account-page.ts';
import { type Pair, startPair } from './pair.ts';
import { SoftKey } from './soft-key.ts';
import { Enrolment, enrolPerson, expectProblem, inviteCode, jsonOf, keyNamesOf, newEmail, signIn } from './support.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
});
afterAll(() => pair.close());

/** The next event of a session's stream. */
async function nextOf(lines: AsyncIterator<string>): Promise<unknown> {
  const { value } = await lines.next();
  return value === undefined ? undefined : JSON.parse(value);
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  let text = '';
  for await (const chunk of response.body ?? []) {
    const [last = '', ...rest] = (text + Buffer.from(chunk).toString()).split('\n').reverse();
    yield* rest.reverse();
    text = last;
  }
}

test('each request of a person’s life here may reach another instance than the one before', async () => {
  // Enrolment, with its terminal.
  const email = newEmail();
  const key = new SoftKey(pair.origin);
  const enrolment = await Enrolment.open(pair.origin, await inviteCode(pair, email));
  await jsonOf(await enrolment.register(key));
  expect(await jsonOf(await enrolment.status())).toMatchObject({ state: 'done', email });

  // A login, an AWS token, the stream of the session's events.
  const { client, access_token: token } = await signIn(pair.origin, key);
  await expectProblem(await client.api('GET', '/api/session', token, { proof: null }), 401, 'token-refused');
  await jsonOf(await client.api('GET', '/api/session', token));
  const issued = await client.api('POST', '/api/aws/token', token, { body: { role: ROLE } });
  const { token: idToken } = await jsonOf<{ token: string }>(issued);
  expect(decodeJwt(idToken)).toMatchObject({ sub: email });
  const events = linesOf(await client.api('GET', '/api/session/events', token));
  expect(await nextOf(events)).toEqual({ event: 'alive' });

  // My account: a further key, its name, the list of sessions.
  const account = await AccountPage.signIn(pair.origin, key);
  const spare = new SoftKey(pair.origin);
  await jsonOf(await account.addKey(spare, 'Spare'));
  expect((await account.send('PATCH', `keys/${spare.id}`, { name: 'In the safe' })).status).toBe(204);
  expect(await keyNamesOf(pair, email)).toEqual(['Security key', 'In the safe']);
  await jsonOf(await account.touch(spare));
  const { sessions, browsers } = await account.sessions();
  expect([sessions.length, browsers.length, sessions[0]?.lastRole?.arn]).toEqual([1, 1, ROLE]);

  // One ends the other's session: the stream, which hangs on one instance, learns of it.
  await jsonOf(await account.send('DELETE', `sessions/${sessions[0]?.id}`));
  expect(await nextOf(events)).toEqual({ event: 'over', reason: 'ended-by-person' });
  expect(await nextOf(events)).toBeUndefined();
  await expectProblem(await client.api('GET', '/api/session', token), 401, 'session-over', {
    reason: 'ended-by-person',
  });

  // The first key goes, another login with the spare one, and its end by logout.
  await jsonOf(await account.send('DELETE', `keys/${key.id}`));
  const second = await signIn(pair.origin, spare);
  const out = await fetch(`${pair.origin}/token/revocation`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'vouch-cli', token: second.access_token }),
  });
  expect(out.status).toBe(200);
  await expectProblem(await second.client.api('GET', '/api/session', second.access_token), 401, 'session-over', {
    reason: 'signed-out',
  });
  expect((await account.send('POST', 'sign-out')).status).toBe(204);
  await expectProblem(await account.get('me'), 401, 'web-session-over');

  const counts = [...pair.proxy.served.values()];
  expect(counts).toHaveLength(2);
  expect(Math.abs(Number(counts[0]) - Number(counts[1]))).toBeLessThanOrEqual(1);
});

test('each instance knows at once what the other one has ended', async () => {
  const { key } = await enrolPerson(pair);
  const { client, access_token: token } = await signIn(pair.origin, key);
  const [{ context }] = pair.instances;
  await context.store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', key.id).execute();
  for (let request = 0; request < 4; request += 1) {
    await expectProblem(await client.api('GET', '/api/session', token), 401, 'session-over', { reason: 'key-removed' });
  }
});
