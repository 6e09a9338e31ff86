import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { hash } from '../../../server/secrets.ts';
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

describe('an enrolment', () => {
  test('whose URL an attacker reads and opens first is worthless to them, and does not enrol their key', async () => {
    const email = newEmail();
    const code = await inviteCode(server, email);
    const hers = await Enrolment.start(server.origin, code);
    // He has only the URL, but he is quicker than her browser.
    const his = new Browser(server.origin);
    const path = (step: string) => `/enroll/${hers.ticket}/${step}`;
    const opened = await jsonOf<{ page: string; words: string }>(await his.post(path('open')));
    expect(JSON.stringify(opened)).not.toContain(email);
    const headers = { 'vouch-page': opened.page };
    const key = new SoftKey(server.origin);
    const forged = key.create({ challenge: 'AAAA', rp: { id: 'localhost' }, user: { id: 'AAAA' } } as never);
    const tries = async () => {
      for (const step of ['options', 'verify', 'confirm/options', 'confirm/verify']) {
        await expectProblem(await his.post(path(step), forged, headers), 403, 'approval-needed');
      }
    };
    await tries();
    // He cannot approve the page himself.
    for (const poll of [hers.ticket, opened.page, 'A'.repeat(43)]) {
      const answer = await his.post('/enroll/approve', { poll, words: opened.words });
      await expectProblem(answer, 410, 'interaction-over');
    }
    await tries();
    // Her page shows no words, but her terminal shows those of his page, so she says no.
    await expectProblem(await hers.browser.post(path('open')), 403, 'other-browser');
    expect(await jsonOf(await hers.status())).toMatchObject({ state: 'opened', words: opened.words });
    expect((await hers.answer('deny')).status).toBe(204);
    for (const step of ['open', 'options', 'verify']) {
      await expectProblem(await his.post(path(step), forged, headers), 410, 'interaction-over');
    }
    await expectProblem(await hers.answer('approve', opened.words), 410, 'interaction-over');
    await expectProblem(await hers.status(), 404, 'interaction-over');
    expect(await keyNamesOf(server, email)).toEqual([]);
    // The invitation is still good.
    await jsonOf(await (await Enrolment.open(server.origin, code)).register(new SoftKey(server.origin)));
  });

  test('that the terminal approved by mistake still ends when the terminal says no', async () => {
    const code = await inviteCode(server, newEmail());
    const enrolment = await Enrolment.open(server.origin, code);
    const registration = new SoftKey(server.origin).create(await enrolment.options());
    expect((await enrolment.answer('deny')).status).toBe(204);
    await expectProblem(await enrolment.status(), 404, 'interaction-over');
    await expectProblem(await enrolment.post('verify', registration), 410, 'interaction-over');
    // Not once the key is enrolled: the key stays, and the status shows it.
    const again = await Enrolment.open(server.origin, code);
    await jsonOf(await again.register(new SoftKey(server.origin)));
    await again.answer('deny');
    expect(await jsonOf(await again.status())).toMatchObject({ state: 'done' });
  });

  test('accepts no key if the terminal says no while the key is checked', async () => {
    const email = newEmail();
    const code = await inviteCode(server, email);
    const enrolment = await Enrolment.open(server.origin, code);
    const registration = new SoftKey(server.origin).create(await enrolment.options());
    const { store } = server.context;
    const transaction = store.transaction.bind(store);
    // This is the moment between the first check and the transaction.
    vi.spyOn(store, 'transaction').mockImplementationOnce(() => {
      const begun = transaction();
      const execute = begun.execute.bind(begun);
      begun.execute = async (callback) => {
        await store
          .updateTable('enrolments')
          .set({ answer: 'no' })
          .where('ticket_hash', '=', hash(enrolment.ticket))
          .execute();
        return execute(callback);
      };
      return begun;
    });
    await expectProblem(await enrolment.post('verify', registration), 403, 'other-browser');
    expect(await keyNamesOf(server, email)).toEqual([]);
    await jsonOf(await (await Enrolment.open(server.origin, code)).register(new SoftKey(server.origin)));
  });

  test('is approved with the words that its page shows, and with no others', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newEmail()));
    await expectProblem(await enrolment.answer('approve', 'amber otter canyon'), 410, 'interaction-over');
    const { words } = await jsonOf<{ words: string }>(await enrolment.post('open'));
    for (const wrong of ['amber otter canyon', `${words} `.repeat(2), words.toUpperCase(), '%']) {
      await expectProblem(await enrolment.answer('approve', wrong), 410, 'interaction-over');
    }
    await expectProblem(await enrolment.answer('approve'), 400, 'bad-request');
    await expectProblem(await enrolment.post('options'), 403, 'approval-needed');
    expect((await enrolment.answer('approve', words)).status).toBe(204);
    // The first answer may have been lost.
    expect((await enrolment.answer('approve', words)).status).toBe(204);
    await enrolment.options();
  });

  test('cannot be approved when it is over', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newEmail()));
    const { words } = await jsonOf<{ words: string }>(await enrolment.post('open'));
    moveClock(server, 15 * 60_000);
    await expectProblem(await enrolment.answer('approve', words), 410, 'interaction-over');
  });

  test('returns its status for the poll secret, but not for the ticket', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
    const status = await enrolment.browser.post('/enroll/status', { poll: enrolment.ticket });
    await expectProblem(status, 404, 'interaction-over');
    await expectProblem(await enrolment.browser.post(`/enroll/${enrolment.poll}/open`), 403, 'invitation-refused');
  });
});
