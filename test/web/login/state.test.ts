import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Event, initial, reducer, type State, statusOf } from '../../../web/login/state.ts';

const explanation = {
  kind: 'cancelled',
  mood: 'off',
  title: 'It stopped.',
  advice: 'Try again.',
  canRetry: true,
} as const;
const details = { client: 'c', machine: null, words: 'w', requestedAt: '', expiresAt: '', host: 'h' };

const allEvents: Event[] = [
  { type: 'loading' },
  { type: 'arrived', details },
  { type: 'gesture-wanted' },
  { type: 'touching' },
  { type: 'touched' },
  { type: 'accepted' },
  { type: 'cancelling' },
  { type: 'shown', paste: 'w-code', pasteUntil: 0 },
  { type: 'ended', how: 'code-over' },
  { type: 'failed', explanation },
  { type: 'stuck', explanation },
];

test('signing in: the usual way', () => {
  const at = (...types: Event['type'][]) =>
    types.map((type) => allEvents.find((event) => event.type === type) as Event).reduce(reducer, initial).at;
  expect(at('arrived')).toBe('touching');
  expect(at('arrived', 'gesture-wanted')).toBe('ready');
  expect(at('arrived', 'touched')).toBe('verifying');
  expect(at('arrived', 'touched', 'accepted')).toBe('leaving');
  expect(at('arrived', 'failed', 'touching')).toBe('touching');
  expect(at('failed', 'touching')).toBe('failed');
});

test('signing in: the ceremony given up by a cancel says nothing more', () => {
  const leaving = [allEvents[1], { type: 'cancelling' } as const].reduce(
    (state, event) => reducer(state, event as Event),
    initial as State,
  );
  const ways: Partial<Record<Event['type'], State['at']>> = { stuck: 'failed', shown: 'pasting', ended: 'ended' };
  for (const event of allEvents) expect(reducer(leaving, event).at).toBe(ways[event.type] ?? 'leaving');
});

test('signing in: in whatever order things happen, a touch is asked for only when it is known who asks', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...allEvents)), (events) => {
      const state = events.reduce(reducer, initial);
      if (state.at === 'touching' || state.at === 'ready') expect(state.details).toEqual(details);
      if (state.at !== 'loading') expect(statusOf(state)?.title).not.toBe('');
    }),
  );
});

test('signing in: a code that is shown stays until its time is over, and does not come back', () => {
  const happen = (state: State, type: Event['type']) =>
    reducer(state, allEvents.find((event) => event.type === type) as Event);
  const shown = ['arrived', 'touched', 'accepted', 'shown'].reduce(
    (state, type) => happen(state, type as Event['type']),
    initial as State,
  );
  for (const { type } of allEvents) expect(happen(shown, type).at).toBe(type === 'ended' ? 'ended' : 'pasting');
  const ended = happen(shown, 'ended');
  for (const { type } of allEvents) expect(happen(ended, type)).toBe(ended);
  expect(ended).not.toHaveProperty('paste');
});
