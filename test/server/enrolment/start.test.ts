import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from '../browser.ts';
import { SoftKey } from '../soft-key.ts';
import {
  Enrolment,
  expectProblem,
  inviteCode,
  jsonOf,
  moveClock,
  newEmail,
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
  test('may be typed in lower case, without hyphens, with O for 0 and I or L for 1', async () => {
    const code = await inviteCode(server, newEmail());
    const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
    await jsonOf(await start(`  ${typed}  `));
  });

  test('is good for 72 hours', async () => {
    const code = await inviteCode(server, newEmail());
    moveClock(server, 72 * 3600_000 - 5000);
    await jsonOf(await start(code));
    moveClock(server, 72 * 3600_000);
    await expectProblem(await start(code), 403, 'invitation-refused');
  });

  test('for another address is refused, in the same words', async () => {
    const email = newEmail();
    const code = await inviteCode(server, email);
    const refused = await start(code, { email: 'somebody@example.com' });
    const garbage = await start('garbage', { email });
    const said = async (response: Response) => ({
      ...((await response.clone().json()) as object),
      instance: undefined,
    });
    expect(await said(refused)).toEqual(await said(garbage));
    await expectProblem(refused, 403, 'invitation-refused');
    await jsonOf(await start(code, { email: email.toUpperCase() }));
  });

  test('is void once there is a newer one for the address, even if its enrolment is under way', async () => {
    const email = newEmail();
    const old = await inviteCode(server, email);
    const underWay = await Enrolment.open(server.origin, old);
    const answer = new SoftKey(server.origin).create(await underWay.options());
    const next = await inviteCode(server, email);
    await expectProblem(await start(old), 403, 'invitation-refused');
    await expectProblem(await underWay.post('verify', answer), 403, 'invitation-refused');
    await jsonOf(await start(next));
  });

  const garbage: [string, unknown, string][] = [
    ['an unknown code', '0'.repeat(26), 'invitation-refused'],
    ['a hash', 'A'.repeat(43), 'invitation-refused'],
    ['text with a percent sign', '%', 'invitation-refused'],
    ['nothing', undefined, 'bad-request'],
    ['empty text', '  ', 'bad-request'],
    ['101 characters', '0'.repeat(101), 'bad-request'],
    ['a number', 7, 'bad-request'],
    ['a list', ['0'], 'bad-request'],
    ['an object', { $gt: '' }, 'bad-request'],
    ['NUL', 'a\u0000b', 'bad-request'],
    ['invisible text', '\u3164', 'bad-request'],
  ];
  for (const [name, code, problem] of garbage) {
    test(`is not ${name}`, async () => {
      await expectProblem(await start(code), problem === 'bad-request' ? 400 : 403, problem);
    });
  }

  test('is refused for a machine or a key with an invisible name', async () => {
    const code = await inviteCode(server, newEmail());
    for (const name of ['\u3164', '\u200b', 'laptop\u202e', '\u0301', '\u2800', ' ', '']) {
      await expectProblem(await start(code, { machine: name }), 400, 'bad-request');
      await expectProblem(await start(code, { name }), 400, 'bad-request');
    }
  });
});

describe('an enrolment', () => {
  test('ends with its invitation, however soon that is', async () => {
    const email = newEmail();
    const code = await inviteCode(server, email);
    const ends = Date.now() + 61_000;
    await server.context.store
      .updateTable('invitations')
      .set({ expires_at: ends })
      .where('email', '=', email)
      .execute();
    const started = await jsonOf<{ expiresAt: string }>(await start(code));
    expect(Date.parse(started.expiresAt)).toBe(ends);
    const before = Date.now();
    const usual = await jsonOf<{ expiresAt: string }>(await start(await inviteCode(server, newEmail())));
    const startedAt = Date.parse(usual.expiresAt) - 15 * 60_000;
    expect(startedAt).toBeGreaterThanOrEqual(before);
    expect(startedAt).toBeLessThanOrEqual(Date.now());
  });
});
