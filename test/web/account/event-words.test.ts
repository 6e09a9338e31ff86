import { describe, expect, test } from 'vitest';
import { EVENTS } from '../../../server/audit/events.ts';
import type { HistoryEvent } from '../../../web/account/account.ts';
import { roleOf, sentenceOf } from '../../../web/account/event-words.ts';

const happened = (event: string, other: Partial<HistoryEvent> = {}): HistoryEvent => ({
  id: 1,
  at: '2026-01-02T03:04:05.000Z',
  event,
  result: 'done',
  reason: null,
  by: 'you',
  machine: null,
  ip: null,
  keyName: null,
  role: null,
  lent: null,
  replacesKeys: false,
  byPaste: false,
  ...other,
});

describe('an event of the history', () => {
  test.each([
    [happened('signed-in'), 'You signed in.'],
    [happened('signed-in', { machine: 'laptop', keyName: 'Blue' }), 'You signed in on laptop with “Blue”.'],
    [happened('signed-in', { machine: 'laptop', byPaste: true }), 'You signed in on laptop, with a code to paste.'],
    [happened('web-session-began', { machine: 'Firefox' }), 'You opened this page in Firefox.'],
    [
      happened('web-session-renewed', { machine: 'Firefox', keyName: 'Blue' }),
      'You touched “Blue” again on this page in Firefox.',
    ],
    [happened('key-removed', { keyName: 'Blue' }), 'You removed the key “Blue”.'],
    [happened('key-removed', { keyName: 'Blue', by: 'administrator' }), 'An administrator removed the key “Blue”.'],
    [happened('key-removed', { keyName: 'Blue', reason: 'keys-replaced' }), 'Your new key replaced the key “Blue”.'],
    [happened('invitation-revoked', { by: 'administrator' }), 'An administrator withdrew an invitation.'],
    [happened('invitation-revoked', { reason: 'replaced' }), 'A later invitation replaced the one before.'],
    [happened('invitation-revoked', { reason: 'key-removed' }), 'An open invitation became void.'],
    [happened('invited', { by: 'administrator' }), 'An administrator invited you.'],
    [
      happened('invited', { by: 'administrator', replacesKeys: true }),
      'An administrator invited you to replace your keys with a new one.',
    ],
    [happened('invited', { by: 'server' }), 'The server invited you as its owner.'],
    [happened('person-promoted', { by: 'administrator' }), 'An administrator made you an owner.'],
    [happened('person-promoted', { by: 'server' }), 'The server’s link made you an owner.'],
    [
      happened('session-ended', { reason: 'signed-out', machine: 'laptop' }),
      'You signed out of the session on laptop.',
    ],
    [happened('session-ended', { reason: 'ended-by-person' }), 'You ended the session.'],
    [happened('session-ended', { reason: 'key-removed' }), 'The session ended with its key.'],
    [happened('session-ended', { reason: 'end-date' }), 'The session ended with your access.'],
    [happened('session-ended', { reason: 'something new', by: 'server' }), 'The session ended.'],
    [
      happened('aws-token-issued', { role: 'arn:aws:iam::123456789012:role/team/Reader' }),
      'You used the role Reader in 123456789012.',
    ],
    [
      happened('aws-token-issued', { role: 'arn:aws:iam::123456789012:role/team/Reader', lent: 'build' }),
      'You lent the role Reader in 123456789012 as “build”.',
    ],
    [happened('sign-in-refused', { keyName: 'Blue', by: 'unknown' }), 'Sign-ins with “Blue” were refused.'],
    [happened('enrolment-cancelled'), 'You cancelled an enrolment.'],
    [
      happened('enrolment-cancelled', { by: 'unknown' }),
      'An enrolment was cancelled before your terminal agreed to its page.',
    ],
    [happened('something-new'), 'Something new.'],
  ])('%#: %o', (event, sentence) => {
    expect(sentenceOf(event)).toBe(sentence);
  });

  // The trail's own events are no person's history.
  const isNobodys = (event: string) =>
    /^(audit-trimmed|aws-issuer-changed|database-(restored|copied)|(signing|master)-key-.*)$/.test(event);
  test.each(Object.keys(EVENTS).filter((event) => !isNobodys(event)))('%s has a sentence of its own', (event) => {
    const name = event.replaceAll('-', ' ');
    expect(sentenceOf(happened(event)).toLowerCase()).not.toBe(`${name}.`);
  });
});

test('a role is its name and its account; anything else is shown as it is', () => {
  expect(roleOf('arn:aws-cn:iam::123456789012:role/Reader')).toBe('Reader in 123456789012');
  expect(roleOf('something')).toBe('something');
});
