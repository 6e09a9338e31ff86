import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Event, initial, progressOf, reducer } from '../../../web/enroll/state.ts';

const explanation = {
  kind: 'cancelled',
  mood: 'off',
  title: 'It stopped.',
  advice: 'Try again.',
  canRetry: true,
} as const;
const request = { client: 'c', machine: null, words: 'w', requestedAt: '', expiresAt: '', host: 'h' };
const enrolled = { email: 'a@example.com', key: { name: 'Security key', model: null } };

const allEvents: Event[] = [
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
  { type: 'cancelling' },
  { type: 'cancelled' },
  { type: 'stuck', explanation },
];

test('enrolling: in whatever order things happen, what is done stays done, and steps are counted for two keys alone', () => {
  fc.assert(
    fc.property(
      fc.option(fc.constant('t0'), { nil: undefined }),
      fc.array(fc.constantFrom(...allEvents)),
      (ticket, events) => {
        let state = initial(ticket);
        for (const event of events) {
          const before = state;
          state = reducer(state, event);
          if (['done', 'cancelled'].includes(before.at) && event.type !== 'opening') expect(state).toBe(before);
          if (progressOf(state)) expect(state.details?.needsConfirmation).toBe(true);
          if (state.at === 'touching') expect(state.ticket).not.toBe('');
        }
      },
    ),
  );
});

test('enrolling: trying again goes on with the step that failed', () => {
  const events: Event[] = [allEvents[3], { type: 'failed', explanation }, { type: 'touching' }] as Event[];
  const state = events.reduce(reducer, initial('t'));
  expect(state).toMatchObject({ at: 'touching', step: 'confirm' });
  expect(reducer(state, { type: 'confirmed' })).toMatchObject({ at: 'ready', step: 'enrol' });
});

test('enrolling: a cancel is not undone by the ceremony that it ends, but by a key that the server took before', () => {
  const opened = allEvents[4] as Event;
  const cancelling = [opened, { type: 'touching' } as const, { type: 'cancelling' } as const].reduce(
    reducer,
    initial('t'),
  );
  for (const event of allEvents.filter(({ type }) => type !== 'opening')) {
    const { at } = reducer(cancelling, event);
    const expected = { enrolled: 'done', cancelled: 'cancelled', stuck: 'failed' } as Record<string, string>;
    expect([event.type, at]).toEqual([event.type, expected[event.type] ?? 'cancelling']);
  }
});
