import { describe, expect, test } from 'vitest';
import { addReducer, addStatus, initialAdd } from '../../../web/account/add-state.ts';
import { saidOf, whereOf } from '../../../web/account/change.ts';
import { changeReducer } from '../../../web/account/change-state.ts';
import { initial, reducer, type State, statusOf } from '../../../web/account/state.ts';
import { awsSentence } from '../../../web/ui/aws-sentence.ts';
import type { Explanation } from '../../../web/ui/explain/explanation.ts';
import { account } from './fixtures.ts';

const explanation: Explanation = { kind: 'x', mood: 'warning', title: 'T', advice: 'A', canRetry: true };

describe('my account', () => {
  const open = reducer({ at: 'verifying' }, { type: 'loaded', account });

  test('begins signed out; after a reload it looks first', () => {
    expect(initial(false)).toEqual({ at: 'signed-out', why: undefined });
    expect(initial(true)).toEqual({ at: 'loading' });
  });

  test('asks for a touch, and opens with the keys', () => {
    const touching = reducer(initial(false), { type: 'touching' });
    expect(reducer(touching, { type: 'touched' })).toEqual({ at: 'verifying' });
    expect(open).toMatchObject({ at: 'open', view: 'keys', task: undefined });
  });

  test('an end takes it away, whatever the person is doing', () => {
    const adding = reducer(open, { type: 'beginning', task: { kind: 'add' }, returnTo: 'add-key' });
    for (const why of ['idle', 'over', 'signed-out'] as const) {
      const state = reducer(adding, { type: 'signed-out', why });
      expect(state).toEqual({ at: 'signed-out', why });
      expect(statusOf(state)).toMatchObject({ id: why, mood: 'off' });
    }
  });

  test('what comes too late changes nothing', () => {
    const out: State = { at: 'signed-out', why: 'idle' };
    expect(reducer(out, { type: 'done', account, said: 'x' })).toBe(out);
    expect(reducer(out, { type: 'touched' })).toBe(out);
    expect(reducer(out, { type: 'older', history: { events: [], before: null } })).toBe(out);
  });

  test('older events come after the others', () => {
    const [first, ...rest] = account.history.events;
    if (first === undefined) throw new Error('no event');
    const older = { ...first, id: 1 };
    const state = reducer(open, { type: 'older', history: { events: [older], before: null } });
    const { history } = (state as Extract<State, { at: 'open' }>).account;
    expect(history).toEqual({ events: [first, ...rest, older], before: null });
  });
});

describe('adding a key', () => {
  test('has one step after a fresh touch, and two otherwise', () => {
    const direct = addReducer(initialAdd, { type: 'touching', step: 'enrol' });
    expect(addStatus(direct)).toMatchObject({ id: 'touching', progress: undefined });
    const first = addReducer(initialAdd, { type: 'touching', step: 'confirm' });
    expect(addStatus(first)).toMatchObject({ id: 'confirm-touching', progress: 'Step 1 of 2' });
    const second = addReducer(first, { type: 'ready', step: 'enrol' });
    expect(addStatus(second)).toMatchObject({ id: 'ready', progress: 'Step 2 of 2' });
    const failed = addReducer(second, { type: 'failed', explanation });
    expect(addStatus(failed)).toMatchObject({ id: 'enrol-x', progress: 'Step 2 of 2' });
  });
});

describe('a change', () => {
  test('knows whether the touch failed, or the change', () => {
    const touching = changeReducer({ at: 'working' }, { type: 'touching' });
    expect(changeReducer(touching, { type: 'failed', explanation })).toMatchObject({ touching: true });
    expect(changeReducer({ at: 'working' }, { type: 'failed', explanation })).toMatchObject({ touching: false });
  });

  test('says what was done, and what AWS may still honour', () => {
    const now = new Date(2026, 2, 3, 10, 42);
    const until = new Date(2026, 2, 3, 11, 42).toISOString();
    const [key] = account.keys;
    if (key === undefined) throw new Error('no key');
    const change = { kind: 'remove-key', key } as const;
    expect(saidOf(change, { sessions: 0, awsCredentialsUntil: null }, now)).toBe('Removed “Work key”.');
    expect(saidOf(change, { sessions: 2, awsCredentialsUntil: until }, now)).toBe(
      'Removed “Work key” and ended 2 sessions. AWS credentials that were issued before may work until 11:42.',
    );
    expect(awsSentence(null, now)).toBeUndefined();
  });

  test('names a session by its place', () => {
    const [laptop, nameless] = account.sessions;
    const [here] = account.browsers;
    if (!laptop || !nameless || !here) throw new Error('no sessions');
    expect([laptop, nameless, here, { ...here, current: false, browser: null }].map(whereOf)).toEqual([
      'on alices-laptop',
      'of a terminal',
      'of this page',
      'in another browser',
    ]);
  });
});
