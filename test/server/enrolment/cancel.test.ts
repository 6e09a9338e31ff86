import { afterAll, beforeAll, expect, test } from 'vitest';
import { Browser } from '../browser.ts';
import { SoftKey } from '../soft-key.ts';
import {
  Enrolment,
  expectProblem,
  inviteCode,
  jsonOf,
  keyNamesOf,
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

test('the page that cancels ends its enrolment: the terminal learns of it, and the invitation stays good', async () => {
  const email = newEmail();
  const code = await inviteCode(server, email);
  const enrolment = await Enrolment.open(server.origin, code);
  const registration = new SoftKey(server.origin).create(await enrolment.options());
  expect((await enrolment.post('cancel')).status).toBe(204);

  const status = await enrolment.status();
  expect(await status.clone().json()).toMatchObject({
    title: 'The enrolment was cancelled in the browser',
    detail: 'No key was enrolled, and the invitation is still good. Run `vouch enroll` to start again.',
  });
  await expectProblem(status, 404, 'cancelled');
  for (const step of ['open', 'options', 'verify', 'cancel']) {
    await expectProblem(await enrolment.post(step, registration), 410, 'cancelled');
  }
  expect(await keyNamesOf(server, email)).toEqual([]);
  await jsonOf(await (await Enrolment.open(server.origin, code)).register(new SoftKey(server.origin)));
});

test('a page can cancel before the terminal has approved it, and the terminal cannot approve it then', async () => {
  const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newEmail()));
  const { words } = await jsonOf<{ words: string }>(await enrolment.post('open'));
  expect((await enrolment.post('cancel')).status).toBe(204);
  await expectProblem(await enrolment.answer('approve', words), 410, 'cancelled');
  // A no is no news.
  expect((await enrolment.answer('deny')).status).toBe(204);
  await expectProblem(await enrolment.status(), 404, 'cancelled');
});

test('only the page that opened it can cancel', async () => {
  const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
  const secrets = ['', 'A'.repeat(43), enrolment.poll, enrolment.ticket];
  for (const headers of secrets.map((secret) => ({ 'vouch-page': secret }))) {
    const stranger = await new Browser(server.origin).post(`/enroll/${enrolment.ticket}/cancel`, {}, headers);
    await expectProblem(stranger, 403, 'other-browser');
  }
  await jsonOf(await enrolment.register(new SoftKey(server.origin)));
});

test('an enrolled key is not taken back by a cancel that comes too late', async () => {
  const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
  await jsonOf(await enrolment.register(new SoftKey(server.origin)));
  await expectProblem(await enrolment.post('cancel'), 403, 'invitation-refused');
  expect(await jsonOf(await enrolment.status())).toMatchObject({ state: 'done' });
});

test('of a cancel and a key at the same moment one wins, and the terminal is told which', async () => {
  for (let round = 0; round < 5; round += 1) {
    const email = newEmail();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const registration = new SoftKey(server.origin).create(await enrolment.options());
    const [cancelled] = await Promise.all([enrolment.post('cancel'), enrolment.post('verify', registration)]);
    const names = await keyNamesOf(server, email);
    const status = await enrolment.status();
    if (names.length === 0) {
      expect(cancelled.status).toBe(204);
      await expectProblem(status, 404, 'cancelled');
    } else expect(await jsonOf(status)).toMatchObject({ state: 'done' });
  }
});

test('an enrolment that is over cannot be cancelled', async () => {
  const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
  moveClock(server, 15 * 60_000);
  await expectProblem(await enrolment.post('cancel'), 403, 'invitation-refused');
});

test.each(['approved', 'not approved'])('of a page that is %s it is in the audit trail, once', async (state) => {
  const email = newEmail();
  const code = await inviteCode(server, email);
  const enrolment = await (state === 'approved' ? Enrolment.open : Enrolment.start)(server.origin, code);
  await enrolment.post('open');
  await enrolment.post('cancel');
  await enrolment.post('cancel');
  const rows = await server.context.store
    .selectFrom('audit')
    .where('subject', '=', email)
    .where('event', 'like', 'enrol%')
    .select(['event', 'actor', 'result', 'machine', 'ip'])
    .execute();
  expect(rows).toEqual([
    {
      event: 'enrolment-cancelled',
      // Whoever reads the page's address may have opened it first: that it was the person is not sure before the terminal says so.
      actor: state === 'approved' ? email : 'unknown',
      result: 'done',
      machine: 'alices-laptop',
      ip: enrolment.browser.address,
    },
  ]);
});
