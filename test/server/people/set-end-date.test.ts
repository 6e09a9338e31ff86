import { expect, test } from 'vitest';
import { invite } from '../../../server/invitations/invite.ts';
import { setEndDate } from '../../../server/people/set-end-date.ts';
import { overReasons } from '../../../server/sessions/session-over.ts';
import { findActiveSession } from '../../../server/sessions/sessions.ts';
import { findWebSession } from '../../../server/web-sessions/web-sessions.ts';
import { sessionRow } from '../rows.ts';
import { addPerson, auditOf, BY, change, NOW, newStore, webSessionRow } from './store.ts';

test('an end date is set and taken away again, each with its audit row, and cannot be in the past', async () => {
  const store = await newStore();
  await addPerson(store, 'bob@example.com', 1);
  const set = (endsAt: number | null) =>
    change(store, (transaction) => setEndDate(transaction, NOW, 'bob@example.com', endsAt, BY));
  const result = { email: 'bob@example.com', disabled: false, sessions: [], browsers: 0, invitations: 0 };
  expect(await set(NOW + 1)).toEqual({ ...result, changed: true, endsAt: NOW + 1 });
  expect(await set(NOW + 1)).toEqual({ ...result, changed: false, endsAt: NOW + 1 });
  await expect(set(NOW)).rejects.toMatchObject({ kind: 'option-refused', fix: expect.stringContaining('disable') });
  expect(await set(null)).toEqual({ ...result, changed: true, endsAt: null });
  expect(await set(null)).toEqual({ ...result, changed: false, endsAt: null });
  const row = { event: 'person-end-set', actor: 'cli:root', subject: 'bob@example.com' };
  expect(await auditOf(store)).toEqual([
    { ...row, detail: { sudoUser: 'admin', endsAt: NOW + 1 } },
    { ...row, detail: { sudoUser: 'admin', endsAt: null } },
  ]);
});

test.each([
  ['is taken away', null],
  ['is set anew', NOW + 60_000],
])(
  'no session or invitation comes back when an end date that has come %s, but they go on if it had not come',
  async (_, endsAt) => {
    const store = await newStore();
    for (const [id, end] of [
      ['bob', NOW],
      ['carol', NOW + 1],
    ] as const) {
      await addPerson(store, `${id}@example.com`, 1, { ends_at: end });
      const session = sessionRow(`${id}-session`, id, `${id}-1`, { auth_time: NOW - 60_000, expires_at: NOW + 60_000 });
      await store.insertInto('sessions').values(session).execute();
      await store
        .insertInto('web_sessions')
        .values(webSessionRow(`${id}-web`, id, `${id}-1`, NOW - 1000))
        .execute();
      const request = { email: `${id}@example.com`, replaceKeys: true };
      await invite(store, NOW - 1, request, { actor: 'server' });
      const set = await change(store, (transaction) => setEndDate(transaction, NOW, request.email, endsAt, BY));
      const ended = end === NOW ? [{ id: 'bob-session', email: request.email, machine: null }] : [];
      expect(set).toMatchObject({ sessions: ended, browsers: ended.length, invitations: ended.length });
    }
    const open = store.selectFrom('invitations').where('revoked_at', 'is', null).select('email');
    expect(await open.execute()).toEqual([{ email: 'carol@example.com' }]);
    expect(await findActiveSession(store, 'bob-session', NOW)).toBeUndefined();
    expect(await findWebSession(store, 'bob-web', NOW)).toBeUndefined();
    expect(await findActiveSession(store, 'carol-session', NOW)).toBeDefined();
    expect(await findWebSession(store, 'carol-web', NOW)).toBeDefined();
    const ended = { actor: 'cli:root', subject: 'bob@example.com', reason: 'end-date', key_id: 'bob-1' };
    const detail = { sudoUser: 'admin' };
    expect((await auditOf(store)).filter(({ event }) => event !== 'invited')).toEqual([
      { event: 'person-end-set', actor: 'cli:root', subject: 'bob@example.com', detail: { ...detail, endsAt } },
      { event: 'session-ended', ...ended, session_id: 'bob-session', detail },
      { event: 'web-session-ended', ...ended, session_id: 'bob-web', detail },
      { event: 'invitation-revoked', actor: 'cli:root', subject: 'bob@example.com', reason: 'end-date', detail },
      { event: 'person-end-set', actor: 'cli:root', subject: 'carol@example.com', detail: { ...detail, endsAt } },
    ]);
    // It is over like any other: a new sign-in helps.
    expect(await overReasons(store, [{ id: 'bob-session' }], NOW)).toEqual(new Map([['bob-session', 'expired']]));
  },
);
