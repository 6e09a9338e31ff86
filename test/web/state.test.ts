import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as enroll from '../../web/enroll/state.ts';
import * as login from '../../web/login/state.ts';

const explanation = { kind: 'cancelled', title: 'It stopped.', next: 'Try again.', again: true };
const request = { client: 'c', machine: null, words: 'w', requestedAt: '', expiresAt: '', host: 'h' };
const enrolled = { email: 'a@example.com', key: { name: 'Security key', model: null } };

const loginEvents: login.Event[] = [
  { type: 'loading' },
  { type: 'arrived', details: request },
  { type: 'gesture-wanted' },
  { type: 'touching' },
  { type: 'touched' },
  { type: 'accepted' },
  { type: 'cancelling' },
  { type: 'failed', explanation },
  { type: 'stuck', explanation },
];

const enrollEvents: enroll.Event[] = [
  { type: 'submitted' },
  { type: 'refused', explanation },
  { type: 'opening', ticket: 't' },
  { type: 'opened', details: { ...request, approved: true, email: 'a@example.com', needsConfirmation: true } },
  { type: 'opened', details: { ...request, approved: true, email: 'a@example.com', needsConfirmation: false } },
  { type: 'waiting', words: 'amber otter canyon' },
  { type: 'gesture-wanted' },
  { type: 'touching' },
  { type: 'touched' },
  { type: 'confirmed' },
  { type: 'confirmation-wanted' },
  { type: 'enrolled', enrolled },
  { type: 'failed', explanation },
];

test('signing in: the usual way', () => {
  const at = (...events: login.Event['type'][]) =>
    events
      .map((type) => loginEvents.find((event) => event.type === type) as login.Event)
      .reduce(login.next, login.initial).at;
  expect(at('arrived')).toBe('touching');
  expect(at('arrived', 'gesture-wanted')).toBe('ready');
  expect(at('arrived', 'touched')).toBe('verifying');
  expect(at('arrived', 'touched', 'accepted')).toBe('leaving');
  expect(at('arrived', 'failed', 'touching')).toBe('touching');
  expect(at('failed', 'touching')).toBe('failed');
});

test('signing in: the ceremony given up by a cancel says nothing more', () => {
  const leaving = [loginEvents[1], { type: 'cancelling' } as const].reduce(
    (state, event) => login.next(state, event as login.Event),
    login.initial as login.State,
  );
  for (const event of loginEvents)
    expect(login.next(leaving, event).at).toBe(event.type === 'stuck' ? 'failed' : 'leaving');
});

test('signing in: in whatever order things happen, a touch is asked for only when it is known who asks', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...loginEvents)), (events) => {
      const state = events.reduce(login.next, login.initial);
      if (state.at === 'touching' || state.at === 'ready') expect(state.details).toEqual(request);
      if (state.at !== 'loading') expect(login.statusOf(state)?.title).not.toBe('');
    }),
  );
});

test('enrolling: in whatever order things happen, what is done stays done, and steps are counted for two keys alone', () => {
  fc.assert(
    fc.property(
      fc.option(fc.constant('t0'), { nil: undefined }),
      fc.array(fc.constantFrom(...enrollEvents)),
      (ticket, events) => {
        let state = enroll.initial(ticket);
        for (const event of events) {
          const before = state;
          state = enroll.next(state, event);
          if (before.at === 'done' && event.type !== 'opening') expect(state).toBe(before);
          if (enroll.progressOf(state)) expect(state.details?.needsConfirmation).toBe(true);
          if (state.at === 'touching') expect(state.ticket).not.toBe('');
        }
      },
    ),
  );
});

test('enrolling: trying again goes on with the step that failed', () => {
  const events: enroll.Event[] = [
    enrollEvents[3],
    { type: 'failed', explanation },
    { type: 'touching' },
  ] as enroll.Event[];
  const state = events.reduce(enroll.next, enroll.initial('t'));
  expect(state).toMatchObject({ at: 'touching', step: 'confirm' });
  expect(enroll.next(state, { type: 'confirmed' })).toMatchObject({ at: 'ready', step: 'enroll' });
});
