import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invite } from '../../../server/invitations/invite.ts';
import { remove } from '../../../server/people/remove.ts';
import { addAudit } from '../rows.ts';
import { SoftKey } from '../soft-key.ts';
import {
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
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

type Row = { id: number; event: string; by: string; replacesKeys: boolean };
const page = async (account: AccountPage, query = '') =>
  jsonOf<{ events: Row[]; before: number | null }>(await account.get(`history${query}`));

describe('one’s own history', () => {
  test('has what happened, the latest first, and says of others only that it was an administrator', async () => {
    const { email, key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);
    const role = 'arn:aws:iam::123456789012:role/VouchDeveloper';
    await jsonOf(await client.api('POST', '/api/aws/token', access_token, { body: { role } }));
    await addAudit(server.context.store, Date.now(), {
      event: 'person-promoted',
      actor: 'boss@example.com',
      subject: email,
      from: { ip: '192.0.2.1', requestId: 'r' },
    });
    const account = await AccountPage.signIn(server.origin, key);
    const response = await account.get('history');
    const text = await response.clone().text();
    expect(text).not.toMatch(/boss|cli:|192\.0\.2\.1/);
    const { events } = await jsonOf<{ events: unknown[] }>(response);
    expect(events).toMatchObject([
      { event: 'web-session-began', by: 'you', ip: account.browser.address, keyName: 'Security key' },
      { event: 'person-promoted', by: 'administrator', ip: null },
      { event: 'aws-token-issued', by: 'you', role, machine: 'alices-laptop' },
      { event: 'signed-in', by: 'you', machine: 'alices-laptop', keyName: 'Security key', role: null },
      { event: 'enrolled', by: 'you', result: 'done' },
      { event: 'invited', by: 'administrator', role: null, replacesKeys: false },
    ]);
    expect(Object.keys(events[0] as object).sort()).toEqual(
      [
        'at',
        'by',
        'byPaste',
        'event',
        'id',
        'ip',
        'keyName',
        'lent',
        'machine',
        'reason',
        'replacesKeys',
        'result',
        'role',
      ].sort(),
    );
  });

  test('says of an invitation whether it replaces keys', async () => {
    const { email, key } = await enrolPerson(server);
    await invite(server.context.store, Date.now(), { email, replaceKeys: true }, { actor: 'cli:root' });
    const { events } = await page(await AccountPage.signIn(server.origin, key));
    expect(events.map(({ event, replacesKeys }) => [event, replacesKeys])).toEqual([
      ['web-session-began', false],
      ['invited', true],
      ['enrolled', false],
      ['invited', false],
    ]);
  });

  test('has what strangers tried in this person’s name, and from where', async () => {
    const { email, key } = await enrolPerson(server);
    await addAudit(server.context.store, Date.now(), {
      event: 'sign-in-refused',
      actor: 'unknown',
      subject: email,
      keyId: key.id,
      result: 'refused',
      reason: 'assertion-refused',
      from: { ip: '192.0.2.9' },
    });
    const { events } = await page(await AccountPage.signIn(server.origin, key));
    expect(events[1]).toMatchObject({
      event: 'sign-in-refused',
      by: 'unknown',
      ip: '192.0.2.9',
      keyName: 'Security key',
      result: 'refused',
    });
  });

  test('has nothing about others, even if it was done by this person', async () => {
    const { email, key } = await enrolPerson(server);
    const other = await enrolPerson(server);
    await addAudit(server.context.store, Date.now(), {
      event: 'person-disabled',
      actor: email,
      subject: other.email,
    });
    const { events } = await page(await AccountPage.signIn(server.origin, key));
    expect(events.map(({ event }) => event)).toEqual(['web-session-began', 'enrolled', 'invited']);
  });

  test('has nothing of somebody who had the address before', async () => {
    const { email } = await enrolPerson(server);
    const { store } = server.context;
    await store.transaction().execute((transaction) => remove(transaction, Date.now(), email, { actor: 'cli:root' }));
    const key = new SoftKey(server.origin);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await jsonOf(await enrolment.register(key));
    const { events } = await page(await AccountPage.signIn(server.origin, key));
    expect(events.map(({ event }) => event)).toEqual(['web-session-began', 'enrolled', 'invited']);
  });

  test('comes in pages, without gaps or repeats', async () => {
    const { email, key } = await enrolPerson(server);
    const entries = Array.from({ length: 95 }, () => ({ event: 'signed-in' as const, actor: email, subject: email }));
    await addAudit(server.context.store, Date.now(), ...entries);
    const account = await AccountPage.signIn(server.origin, key);
    const seen: number[] = [];
    let before: number | null = null;
    let pages = 0;
    do {
      const answer: { events: Row[]; before: number | null } = await page(
        account,
        before === null ? '' : `?before=${before}`,
      );
      seen.push(...answer.events.map(({ id }) => id));
      expect(answer.events.length).toBeLessThanOrEqual(30);
      ({ before } = answer);
      pages += 1;
    } while (before !== null);
    expect(pages).toBe(4);
    expect(seen).toHaveLength(98);
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => b - a));
  });

  for (const cursor of ['x', '-1', '1.5', '', '9'.repeat(16), '1&before=2']) {
    test(`has no page before ${cursor || 'nothing'}`, async () => {
      const { key } = await enrolPerson(server);
      const account = await AccountPage.signIn(server.origin, key);
      await expectProblem(await account.get(`history?before=${cursor}`), 400, 'bad-request');
    });
  }
});
